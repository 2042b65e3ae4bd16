import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { attachProgram } from "../containers/attach.ts";
import { parseHelpFlags } from "../containers/flags.ts";
import { queryProgram } from "../containers/run.ts";
import type { EngineFlag, PassOptions } from "../model.ts";
import type { BuildKitClient } from "./client.ts";
import { assertInheritable, hideArguments } from "./hide-arguments.ts";
import { knownFlags } from "./fit-flags.ts";
import type { NamedSource, SolveCall, SolveOutput } from "./solve-call.ts";

/** Flags of a build without OUTPUT that buildctl has something like, beside those of steps. */
const valueFlags = "file tag build-arg build-context target platform output label progress".split(
  " ",
);
const booleanFlags = ["no-cache", "push", "quiet", "pull"];
const shortNames = new Map([
  ["f", "file"],
  ["t", "tag"],
  ["o", "output"],
  ["q", "quiet"],
]);

/** Flags of the client's build: buildx has its own help, and for buildctl they are ours to render. */
export async function listBuildFlags(client: BuildKitClient): Promise<readonly EngineFlag[]> {
  if (client.program === "buildx") {
    const [program = "", ...words] = client.version.slice(0, -1);
    return parseHelpFlags(await queryProgram([program, ...words, "build", "--help"]));
  }
  return [
    ...[...valueFlags, ...knownFlags].map((name) => describeFlag(name, true)),
    ...booleanFlags.map((name) => describeFlag(name, false)),
  ];
}

function describeFlag(name: string, takesValue: boolean): EngineFlag {
  return { name, short: [...shortNames].find(([, long]) => long === name)?.[0], takesValue };
}

/** Hands a build without OUTPUT to the builder. @returns the client's exit status */
export async function passThrough(
  client: BuildKitClient,
  args: readonly string[],
  { input, hiddenArgs = new Map() }: PassOptions = {},
): Promise<number> {
  if (client.program === "buildx") {
    assertInheritable(hiddenArgs, process.env);
    const { command } = client.renderBuild(emptyCall, { directory: "", name: "" });
    const words = command.slice(0, command.indexOf("--progress=rawjson"));
    const hidden = [...hiddenArgs.keys()].map((name) => `--build-arg=${name}`);
    return attachProgram([...words, ...hidden, ...args], input, Object.fromEntries(hiddenArgs));
  }
  const directory = await mkdtemp(join(tmpdir(), "xbuild-"));
  try {
    const given = readWords(args);
    const call = hideArguments(await createCall(given, { hiddenArgs, input, directory }));
    const name = "Containerfile";
    await writeFile(join(directory, name), call.text, "latin1");
    const { command, env } = client.renderBuild(call, { directory, name });
    const progress = `--progress=${given.last("progress") ?? (given.has("quiet") ? "none" : "auto")}`;
    const shown = command.map((word) => (word === "--progress=rawjson" ? progress : word));
    const target = given.last("target");
    const more = [
      ...(target === undefined ? [] : [`--opt=target=${target}`]),
      ...given.all("label").map((one) => `--opt=label:${one}`),
    ];
    return await attachProgram([...shown, ...more], undefined, env);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Given {
  readonly operands: readonly string[];
  readonly all: (name: string) => readonly string[];
  readonly last: (name: string) => string | undefined;
  readonly has: (name: string) => boolean;
  /** Those of steps, each `--name=value`. */
  readonly flags: readonly string[];
}

function readWords(args: readonly string[]): Given {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const words = args[Symbol.iterator]();
  for (const word of words) {
    const groups = /^(?:--(?<long>[a-z0-9-]+)|-(?<short>[a-z]))(?:=(?<value>.*))?$/s.exec(
      word,
    )?.groups;
    const name = groups?.["long"] ?? shortNames.get(groups?.["short"] ?? "");
    if (groups === undefined || word === "-") {
      operands.push(word);
      continue;
    }
    if (name === undefined || ![...valueFlags, ...booleanFlags, ...knownFlags].includes(name))
      throw refuse(word);
    const isBoolean = booleanFlags.includes(name);
    const value = groups["value"] ?? (isBoolean ? "true" : (words.next().value ?? ""));
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const all = (name: string): readonly string[] => values.get(name) ?? [];
  return {
    operands,
    all,
    last: (name) => all(name).at(-1),
    has: (name) => all(name).at(-1) === "true",
    flags: knownFlags.flatMap((name) => all(name).map((value) => `--${name}=${value}`)),
  };
}

function refuse(word: string): XbuildError {
  return new XbuildError("usage", `${word}: buildctl has nothing like it`, {
    hint: "leave it out, or name a builder of buildx with --builder",
    exitStatus: exitStatuses.usage,
  });
}

interface Sent extends Required<Pick<PassOptions, "hiddenArgs">> {
  readonly input: PassOptions["input"];
  readonly directory: string;
}

async function createCall(
  given: Given,
  { hiddenArgs, input, directory }: Sent,
): Promise<SolveCall> {
  const { readFile } = await import("node:fs/promises");
  const context = resolve(given.operands.at(-1) ?? ".");
  const file = given.last("file") ?? join(context, "Containerfile");
  const text =
    file === "-" && input !== undefined
      ? input instanceof Uint8Array
        ? input
        : await readFile(input.path)
      : await readFile(resolve(file));
  const pairs = given.all("build-arg").map((word): [string, string] => {
    const at = word.indexOf("=");
    return at < 0 ? [word, process.env[word] ?? ""] : [word.slice(0, at), word.slice(at + 1)];
  });
  const ignore = await findIgnore(file === "-" ? directory : resolve(file), context);
  if (ignore !== undefined)
    await writeFile(join(directory, "Containerfile.dockerignore"), await readFile(ignore));
  return {
    text: Buffer.from(text).toString("latin1"),
    context,
    ignoreFile: undefined,
    sources: new Map(given.all("build-context").map(readContext)),
    buildArgs: new Map([...pairs, ...hiddenArgs]),
    hiddenArgs: new Set(hiddenArgs.keys()),
    platform: given.all("platform").join(",") || undefined,
    noCache: given.has("no-cache"),
    flags: given.flags,
    output: chooseOutput(given),
    purpose: "build",
  };
}

async function findIgnore(file: string, context: string): Promise<string | undefined> {
  const { existsSync } = await import("node:fs");
  const own = `${join(dirname(file), basename(file))}.dockerignore`;
  return [own, join(context, ".containerignore"), join(context, ".dockerignore")].find((one) =>
    existsSync(one),
  );
}

function readContext(word: string): readonly [string, NamedSource] {
  const [name = ""] = word.split("=", 1);
  const value = word.slice(name.length + 1);
  return value.includes("://")
    ? [name, { kind: "other", value }]
    : [name, { kind: "directory", path: resolve(value) }];
}

function chooseOutput(given: Given): SolveOutput {
  const output = given.last("output");
  if (output !== undefined) return { kind: "words", words: output };
  const names = given.all("tag");
  if (names.length === 0) return { kind: "none" };
  const name = names.length === 1 ? `name=${names[0]}` : `"name=${names.join(",")}"`;
  return { kind: "words", words: `type=image,${name}${given.has("push") ? ",push=true" : ""}` };
}

const emptyCall: SolveCall = {
  text: "",
  context: ".",
  ignoreFile: undefined,
  sources: new Map(),
  buildArgs: new Map(),
  hiddenArgs: new Set(),
  platform: undefined,
  noCache: false,
  flags: [],
  output: { kind: "none" },
  purpose: "build",
};
