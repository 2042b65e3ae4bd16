import { readBoolean } from "../line/arguments.ts";
import {
  type Entry,
  EntryProblem,
  parseAttestation,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
} from "./entries.ts";
import { idOf, joinEntries, renderEntry, typeOf } from "./merge.ts";
import { setLoad, setPush } from "./outputs.ts";
import { type Override, refuseWord } from "./overrides.ts";
import { type BakeTarget, resourceNames } from "./schema.ts";
import {
  type EntryList,
  flagKeys,
  includes,
  isEntryList,
  isTextList,
  mapKeys,
  textKeys,
  type TextList,
  textLists,
} from "./set-keys.ts";

/** A target with the changes of `--set`. Errors: `usage`. */
export function applyOverrides(target: BakeTarget, overrides: readonly Override[]): BakeTarget {
  return overrides.reduce(applyOverride, target);
}

function applyOverride(target: BakeTarget, override: Override): BakeTarget {
  const { key, values } = override;
  const last = values.at(-1);
  if (last === undefined) return target;
  if (key === "secret") return applySecret(target, override, last);
  if (includes(mapKeys, key)) return applyMember(target, { ...override, key }, last);
  if (includes(flagKeys, key)) return applyFlag(target, key, readFlag(override, last));
  if (includes(textKeys, key)) return { ...target, [key]: last };
  if (isTextList(key)) return applyTexts(target, { ...override, key });
  return isEntryList(key) ? applyEntries(target, { ...override, key }) : target;
}

type KeyedOverride<Key> = Override & { readonly key: Key };

function applyMember(
  target: BakeTarget,
  { key, name = "", word }: KeyedOverride<(typeof mapKeys)[number]>,
  value: string,
): BakeTarget {
  if (key === "resources" && !resourceNames.includes(name))
    throw refuseWord(word, `there is no resource ${name}`);
  return { ...target, [key]: { ...target[key], [name]: value } };
}

/** Only where it comes from: which secrets there are is for the file to say. */
function applySecret(target: BakeTarget, { name = "", word }: Override, value: string): BakeTarget {
  if (target.secret?.every((one) => idOf(one) !== name) ?? true)
    throw refuseWord(word, `the target has no secret ${name}`);
  const [source] = parse(word, parseSecret, value);
  const change = (one: Entry): Entry => (idOf(one) === name ? { ...source, id: name } : one);
  return { ...target, secret: (target.secret ?? []).map(change) };
}

function readFlag({ word, key }: Override, value: string): boolean {
  const flag = readBoolean(value);
  if (flag !== undefined) return flag;
  throw refuseWord(word, `${key} is true or false`);
}

function applyFlag(target: BakeTarget, key: (typeof flagKeys)[number], value: boolean): BakeTarget {
  if (key === "push") return { ...target, output: setPush(target.output ?? [], value) };
  if (key === "load") return { ...target, output: setLoad(target.output ?? [], value) };
  return { ...target, [key]: value };
}

function applyTexts(
  target: BakeTarget,
  { key, values, appends }: KeyedOverride<TextList>,
): BakeTarget {
  // These two extend what is there in any case.
  const isAdded = appends || key === "annotations" || key === "entitlements";
  const field = textLists[key];
  const earlier = isAdded ? (target[field] ?? []) : [];
  const given = values.filter((value) => value !== "");
  return { ...target, [field]: [...new Set([...earlier, ...given])] };
}

function applyEntries(target: BakeTarget, override: KeyedOverride<EntryList>): BakeTarget {
  const { key, word, appends } = override;
  const values = override.values.filter((value) => value !== "");
  const entries = (parseOne: ParseEntry): Entry[] =>
    values.flatMap((value) => parse(word, parseOne, value));
  switch (key) {
    case "ssh": {
      const earlier = appends ? target.ssh : [];
      return { ...target, ssh: joinEntries(earlier, values.map(parseSsh), idOf) };
    }
    case "secrets": {
      const earlier = appends ? target.secret : [];
      return { ...target, secret: joinEntries(earlier, entries(parseSecret), idOf) };
    }
    case "attest":
      return {
        ...target,
        attest: joinEntries(target.attest, entries(parseAttestation), typeOf),
      };
    default: {
      const added = entries(key === "output" ? parseOutput : parseCaches);
      const earlier = appends ? target[key] : [];
      return { ...target, [key]: joinEntries(earlier, added, renderEntry) };
    }
  }
}

type ParseEntry = (text: string) => Entry | readonly Entry[];

function parse(word: string, parseOne: ParseEntry, value: string): readonly Entry[] {
  try {
    return [parseOne(value)].flat();
  } catch (error) {
    if (error instanceof EntryProblem) throw refuseWord(word, error.message);
    throw error;
  }
}
