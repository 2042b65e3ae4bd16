import { suggestName } from "../../suggest.ts";
import { listSome } from "../../text.ts";
import { usageError } from "../line/arguments.ts";
import { matchesPattern } from "./glob.ts";
import { hasMembers, isList, settableKeys } from "./set-keys.ts";

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

function assertKey({ word, key, name, appends }: Omit<Override, "values">): void {
  if (!settableKeys.includes(key)) {
    const near = suggestName(key, settableKeys);
    const hint =
      near === undefined ? `use one of ${settableKeys.join(", ")}` : `did you mean ${near}?`;
    throw usageError(`--set ${word}: a target has no ${key} that can be set`, hint);
  }
  if (hasMembers(key) && name === undefined)
    throw refuseWord(word, `${key} needs a name: ${key}.NAME`);
  if (!hasMembers(key) && name !== undefined) throw refuseWord(word, `${key} takes no name`);
  if (appends && !isList(key)) throw refuseWord(word, `${key} is no list that += could extend`);
}

function findTargets(pattern: string, names: readonly string[], word: string): readonly string[] {
  if (names.includes(pattern)) return [pattern];
  const found = names.filter((name) => matchesPattern(pattern, name));
  if (found.length > 0) return found;
  const near = suggestName(pattern, names);
  const hint = near === undefined ? `name one of ${listSome(names)}` : `did you mean ${near}?`;
  throw usageError(`--set ${word}: no target matches ${pattern}`, hint);
}

/** The error for a word of --set. */
export function refuseWord(word: string, why: string): Error {
  return usageError(`--set ${word}: ${why}`, "write it as TARGET.KEY=VALUE, such as '*.args.A=1'");
}
