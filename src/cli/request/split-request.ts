import { isAbsolute, resolve } from "node:path";
import { createLocalReference, parseReference, splitReference } from "../../copy/copy.ts";
import type { CliIo } from "../io.ts";
import { lastValue, listValues, parseCommandLine, usageError } from "../line/arguments.ts";
import { type BuildFlag, buildFlags } from "../line/build-flags.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { parseSize } from "../line/values.ts";

/** What says which file is built, and with what: `split` has one of its own. */
const fileFlags: ReadonlySet<string> = new Set(
  "file target build-arg build-arg-file build-context ignorefile redact env-cache-from env-cache-to".split(
    " ",
  ),
);

const ownNames = ["above", "kind", "max-layer-bytes", "map", "plan", "tools"] as const;

/** Every flag of `xbuild split`. */
const splitFlags: readonly BuildFlag[] = [
  ...ownNames.map((name) => ({ name, kind: "value", role: "own", ours: true }) as const),
  ...buildFlags.filter(({ name, role }) => !fileFlags.has(name) && role !== "refused"),
];

/** What a command line of `split` asks for. */
export interface SplitRequest {
  /** The image that is split, as the user named it. */
  readonly image: string;
  /** --above: the image whose layers stay below. */
  readonly above: string | undefined;
  /** --tools: the image that has a shell where this one has none. */
  readonly tools: string | undefined;
  readonly kind: string;
  /** --max-layer-bytes */
  readonly maxBytes: number | undefined;
  /** --map and --plan: absolute paths. */
  readonly map: string | undefined;
  readonly plan: string | undefined;
  /** The words of `xbuild build` that say the rest. */
  readonly words: readonly string[];
}

/** Takes a command line apart. Errors: `usage` */
export function readSplitLine(words: readonly string[]): BuildCommandLine {
  return parseCommandLine(words, splitFlags);
}

/** Errors: `usage`, `name-invalid` */
export function createSplitRequest(line: BuildCommandLine, { cwd }: CliIo): SplitRequest {
  const [image, ...more] = line.operands;
  if (image === undefined || more.length > 0)
    throw usageError(
      "split needs the name of one image",
      "write it as in: xbuild split registry.example/app:v1 -t app:split",
    );
  assertNamed(line);
  const size = lastValue(line, "max-layer-bytes");
  const file = (name: string): string | undefined => {
    const value = lastValue(line, name);
    return value === undefined ? undefined : resolve(cwd, value);
  };
  const named = (name: string): string | undefined => {
    const value = lastValue(line, name);
    return value === undefined ? undefined : readImage(value, `--${name}`, cwd);
  };
  const own: ReadonlySet<string> = new Set(ownNames);
  const rest = line.flags.filter(({ spec }) => !own.has(spec.name));
  return {
    image: readImage(image, "split", cwd),
    above: named("above"),
    tools: named("tools"),
    kind: readKind(lastValue(line, "kind") ?? "auto"),
    maxBytes: size === undefined ? undefined : parseSize(size, "--max-layer-bytes"),
    map: file("map"),
    plan: file("plan"),
    words: [
      ...rest.flatMap((one) => one.words),
      ...(line.rest.length === 0 ? [] : ["--", ...line.rest]),
    ],
  };
}

/** A name of the image's own is never taken for the result unasked. */
function assertNamed(line: BuildCommandLine): void {
  if (["tag", "output", "manifest"].some((name) => listValues(line, name).length > 0)) return;
  throw usageError(
    "split needs a name for the result",
    "name it with -t NEW, or write it somewhere with -o; the image itself stays as it is",
  );
}

function readKind(text: string): string {
  if (/^[a-z0-9]+(?:,[a-z0-9]+)*$/.test(text)) return text;
  throw usageError(`--kind cannot be ${text}`, "name kinds with commas between them, or auto");
}

/** It becomes a word of a Containerfile. A path of a layout or an archive is whole there. */
function readImage(text: string, what: string, cwd: string): string {
  const isRegistry = splitReference(text) !== undefined;
  if (isRegistry) parseReference(text);
  const name = isRegistry ? text.replace(/^docker:\/\//, "") : resolvePlace(text, cwd);
  if (/^[\w@%+=:,./-]+$/.test(name) && !name.startsWith("-")) return name;
  throw usageError(
    `${what} ${text}: a path of an image has letters, digits and any of _@%+=:,./-`,
    "let a link with such a name lead to it",
  );
}

function resolvePlace(text: string, cwd: string): string {
  const { name } = createLocalReference(text);
  const at = name.indexOf(":") + 1;
  const [transport, rest] = [name.slice(0, at), name.slice(at)];
  const isFile = /^(?:oci|oci-archive|docker-archive|dir):$/.test(transport);
  return isFile && !isAbsolute(rest) ? transport + resolve(cwd, rest) : name;
}
