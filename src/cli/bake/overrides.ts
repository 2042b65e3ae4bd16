import { suggestName } from "../../suggest.ts";
import { listSome } from "../../text.ts";
import { usageError } from "../line/arguments.ts";
import {
  type Entry,
  EntryProblem,
  parseAttestation,
  parseCache,
  parseOutput,
  parseSecret,
  parseSsh,
} from "./entries.ts";
import { matchesPattern } from "./glob.ts";
import { idOf, joinEntries, renderEntry, typeOf } from "./merge.ts";
import { setLoad, setPush } from "./outputs.ts";
import type { BakeTarget } from "./schema.ts";

/** What `--set` changes in a target. */
export interface Override {
  /** As it was given, for messages. */
  readonly word: string;
  readonly key: string;
  /** Of a map, or of a secret. */
  readonly name: string | undefined;
  readonly values: readonly string[];
  readonly appends: boolean;
}

/**
 * The changes that `--set TARGET.KEY[.NAME][+]=VALUE` asks for, by target; TARGET may be a pattern. Values of a key that
 * is a list belong together. buildx, "bake --set". Errors: `usage`.
 */
export function parseOverrides(
  words: readonly string[],
  names: Iterable<string>,
  lookUp: (name: string) => string | undefined,
): ReadonlyMap<string, readonly Override[]> {
  const known = [...names];
  const all = new Map<string, Map<string, Override>>();
  for (const word of words) {
    const { pattern, ...override } = parseOverride(word, lookUp);
    for (const target of findTargets(pattern, known, word)) {
      const own = all.get(target) ?? new Map<string, Override>();
      const place = [override.key, override.name].join(".");
      const earlier = isList(override.key) ? (own.get(place)?.values ?? []) : [];
      own.set(place, { ...override, values: [...earlier, ...override.values] });
      all.set(target, own);
    }
  }
  return new Map([...all].map(([target, own]) => [target, [...own.values()]]));
}

function parseOverride(
  word: string,
  lookUp: (name: string) => string | undefined,
): Override & { readonly pattern: string } {
  const equals = word.indexOf("=");
  const left = equals === -1 ? word : word.slice(0, equals);
  const appends = left.endsWith("+");
  const [pattern = "", key, ...rest] = (appends ? left.slice(0, -1) : left).split(".");
  if (key === undefined) throw refuseWord(word, "it is not of the form TARGET.KEY=VALUE");
  const name = rest.length === 0 ? undefined : rest.join(".");
  assertKey({ word, key, name, appends });
  if (equals !== -1) return { word, pattern, key, name, appends, values: [word.slice(equals + 1)] };
  if (key !== "args" || name === undefined) throw refuseWord(word, "it has no value");
  const value = lookUp(name);
  return { word, pattern, key, name, appends, values: value === undefined ? [] : [value] };
}

const textKeys = new Set(["context", "dockerfile", "target", "call", "shm-size", "network"]);
const flagKeys = new Set(["no-cache", "pull", "push", "load"]);
const mapKeys = new Set(["args", "contexts", "labels", "extra-hosts", "resources", "secret"]);
const listKeys = new Set(
  "annotations attest cache-from cache-to entitlements no-cache-filter output platform secrets ssh tags ulimits".split(
    " ",
  ),
);

function isList(key: string): boolean {
  return listKeys.has(key);
}

function assertKey({ word, key, name, appends }: Omit<Override, "values">): void {
  const keys = [...textKeys, ...flagKeys, ...mapKeys, ...listKeys];
  if (!keys.includes(key)) {
    const near = suggestName(key, keys);
    const hint = near === undefined ? `use one of ${keys.join(", ")}` : `did you mean ${near}?`;
    throw usageError(`--set ${word}: a target has no ${key} that can be set`, hint);
  }
  if (mapKeys.has(key) && name === undefined)
    throw refuseWord(word, `${key} needs a name: ${key}.NAME`);
  if (!mapKeys.has(key) && name !== undefined) throw refuseWord(word, `${key} takes no name`);
  if (appends && !isList(key)) throw refuseWord(word, `${key} is no list that += could extend`);
}

function findTargets(pattern: string, names: readonly string[], word: string): readonly string[] {
  if (names.includes(pattern)) return [pattern];
  const found = names.filter((name) => matchesPattern(pattern, name));
  if (found.length > 0) return found;
  const near = suggestName(pattern, names);
  const hint = near === undefined ? `the targets are ${listSome(names)}` : `did you mean ${near}?`;
  throw usageError(`--set ${word}: no target matches ${pattern}`, hint);
}

function refuseWord(word: string, why: string): Error {
  return usageError(`--set ${word}: ${why}`, "write it as TARGET.KEY=VALUE, such as '*.args.A=1'");
}

/** A target with changes. Errors: `usage`. */
export function applyOverrides(target: BakeTarget, overrides: readonly Override[]): BakeTarget {
  return overrides.reduce(applyOverride, target);
}

function applyOverride(target: BakeTarget, override: Override): BakeTarget {
  const { key, name, values } = override;
  const last = values.at(-1);
  if (last === undefined) return target;
  if (name !== undefined) return applyMember(target, override, last);
  if (flagKeys.has(key)) return applyFlag(target, key, readFlag(override, last));
  return isList(key) ? applyList(target, override) : { ...target, [key]: last };
}

function applyMember(target: BakeTarget, override: Override, value: string): BakeTarget {
  const { key, name = "" } = override;
  if (key === "secret") return applySecret(target, override, value);
  if (key === "resources" && !resourceNames.has(name))
    throw refuseWord(override.word, `there is no resource ${name}`);
  const map = target[key as "args"];
  return { ...target, [key]: { ...map, [name]: value } };
}

const resourceNames = new Set(
  "memory memory-swap cpu-shares cpu-period cpu-quota cpuset-cpus cpuset-mems".split(" "),
);

/** Only where it comes from: which secrets there are is for the file to say. */
function applySecret(target: BakeTarget, { name = "", word }: Override, value: string): BakeTarget {
  if (target.secret?.every((one) => idOf(one) !== name) ?? true)
    throw refuseWord(word, `the target has no secret ${name}`);
  const source = parse(word, parseSecret, value);
  const change = (one: Entry): Entry => (idOf(one) === name ? { ...source, id: name } : one);
  return { ...target, secret: (target.secret ?? []).map(change) };
}

function readFlag({ word, key }: Override, value: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw refuseWord(word, `${key} is true or false`);
}

function applyFlag(target: BakeTarget, key: string, value: boolean): BakeTarget {
  if (key === "push") return { ...target, output: setPush(target.output ?? [], value) };
  if (key === "load") return { ...target, output: setLoad(target.output ?? [], value) };
  return { ...target, [key]: value };
}

function applyList(target: BakeTarget, override: Override): BakeTarget {
  const { word, key, appends } = override;
  const values = override.values.filter((value) => value !== "");
  const under = <T>(given: readonly T[] | undefined): readonly T[] =>
    appends ? (given ?? []) : [];
  const entries = (parseOne: (text: string) => Entry): Entry[] =>
    values.map((value) => parse(word, parseOne, value));
  if (key === "ssh")
    return { ...target, ssh: joinEntries(under(target.ssh), values.map(parseSsh), idOf) ?? [] };
  if (key === "secrets")
    return {
      ...target,
      secret: joinEntries(under(target.secret), entries(parseSecret), idOf) ?? [],
    };
  if (key === "attest")
    return {
      ...target,
      attest: joinEntries(target.attest, entries(parseAttestation), typeOf) ?? [],
    };
  if (key === "output" || key === "cache-from" || key === "cache-to") {
    const added = entries(key === "output" ? parseOutput : parseCache);
    return { ...target, [key]: joinEntries(under(target[key]), added, renderEntry) ?? [] };
  }
  const field = key === "platform" ? "platforms" : (key as "tags");
  // These two extend what is there in any case.
  const isAdded = key === "annotations" || key === "entitlements";
  const earlier = isAdded ? (target[field] ?? []) : under(target[field]);
  return { ...target, [field]: [...new Set([...earlier, ...values])] };
}

function parse(word: string, parseOne: (text: string) => Entry, value: string): Entry {
  try {
    return parseOne(value);
  } catch (error) {
    if (error instanceof EntryProblem) throw refuseWord(word, error.message);
    throw error;
  }
}
