import { splitFields } from "./csv.ts";

/** What stands in a list of outputs, caches, secrets and the like: attributes by name. */
export type Entry = Readonly<Record<string, string>>;

/** An SSH agent's socket or keys. */
export interface SshEntry {
  readonly id: string;
  readonly paths?: readonly string[];
}

/** A text or an object that is no such entry, and why. */
export class EntryProblem extends Error {}

type Pairs = ReadonlyMap<string, string>;

/** An output: `type=...,dest=...`, a directory, or `-` for a tar to standard output. buildx, "--output". */
export function parseOutput(given: string | Entry): Entry {
  if (typeof given === "string" && !given.startsWith("type=") && isWhole(given))
    return given === "-" ? { type: "tar", dest: "-" } : { type: "local", dest: given };
  return withType(readPairs(given), "an output");
}

/** Caches: one of `type=...,...`, or images in registries with commas between them. buildx, "--cache-from". */
export function parseCaches(given: string | Entry): readonly Entry[] {
  if (typeof given !== "string" || given.includes("="))
    return [withType(readPairs(given), "a cache")];
  return readFields(given).map((ref) => ({ type: "registry", ref }));
}

export function parseAttestation(given: string | Entry): Entry {
  return withType(readPairs(given), "an attestation");
}

/** A secret: `id=...` with `src=FILE` or `env=NAME`. buildx, "--secret". */
export function parseSecret(given: string | Entry): Entry {
  const pairs = readPairs(given);
  const unknown = [...pairs.keys()].find((key) => !secretKeys.has(key));
  if (unknown !== undefined) throw new EntryProblem(`a secret has no ${unknown}`);
  const type = pairs.get("type");
  if (type !== undefined && type !== "file" && type !== "env")
    throw new EntryProblem(`a secret is of type file or env, not ${type}`);
  const source = pairs.get("src") ?? pairs.get("source");
  const isVariable = type === "env" && pairs.get("env") === undefined;
  return withoutUndefined({
    id: pairs.get("id"),
    src: isVariable ? undefined : source,
    env: isVariable ? source : pairs.get("env"),
  });
}

const secretKeys: ReadonlySet<string> = new Set(["type", "id", "src", "source", "env"]);

/** `id` or `id=path,path`. buildx, "--ssh". */
export function parseSsh(text: string): SshEntry {
  const equals = text.indexOf("=");
  if (equals === -1) return { id: text };
  return { id: text.slice(0, equals), paths: text.slice(equals + 1).split(",") };
}

/** Texts that name nothing but one thing have no CSV in them. */
function isWhole(text: string): boolean {
  const fields = splitFields(text);
  return fields?.length === 1 && fields[0] === text;
}

function readPairs(given: string | Entry): Pairs {
  if (typeof given !== "string") return new Map(Object.entries(given));
  const pairs = new Map<string, string>();
  for (const field of readFields(given)) {
    const equals = field.indexOf("=");
    if (equals === -1) throw new EntryProblem(`${field} is not of the form KEY=VALUE`);
    pairs.set(field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1));
  }
  return pairs;
}

function readFields(text: string): readonly string[] {
  const fields = splitFields(text);
  if (fields === undefined) throw new EntryProblem("its quotes do not fit");
  return fields;
}

function withType(pairs: Pairs, what: string): Entry {
  const type = pairs.get("type") ?? "";
  if (type === "") throw new EntryProblem(`${what} needs a type`);
  return Object.fromEntries(pairs);
}

function withoutUndefined(value: Readonly<Record<string, string | undefined>>): Entry {
  const given = Object.entries(value).flatMap(([key, one]) =>
    one === undefined || one === "" ? [] : [[key, one] as const],
  );
  return Object.fromEntries(given);
}
