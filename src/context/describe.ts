import { createHash, hash } from "node:crypto";
import type { Digest } from "../oci/oci.ts";
import type { Known } from "./block-layout.ts";
import { type Entry, kindOf } from "./entry.ts";

/** What a path is: kind, mode, content; and what else counts. */
export type Describe = (known: Known) => string;

/** Says of each entry, in the order of the walk, what it is. */
export function createDescriber(withOwners: boolean): Describe {
  const findFirst = createFirstNames();
  return (known) => describeEntry(known, withOwners, findFirst(known.entry));
}

/** @param first the file's first name, where that is another */
function describeEntry({ entry, content }: Known, withOwners: boolean, first?: string): string {
  let description = `${kindOf(entry)} ${(entry.mode & 0o7777).toString(8)}`;
  if (withOwners) description += `,${entry.uid}:${entry.gid}`;
  if (first !== undefined) description += `,=${encodeName(first)}`;
  return content === "" ? description : `${description} ${content}`;
}

/** Tells of each entry, in the order of the walk, which name of the same file came first, where that is another. */
function createFirstNames(): (entry: Entry) => string | undefined {
  const firstNames = new Map<string, string>();
  return ({ path, isLinked, dev, ino }) => {
    if (!isLinked) return undefined;
    const first = firstNames.get(`${dev}:${ino}`);
    if (first === undefined) firstNames.set(`${dev}:${ino}`, path);
    return first;
  };
}

/** Without blanks and commas. Lone surrogates, which are bytes that are no UTF-8, encodeURI does not take. */
function encodeName(name: string): string {
  return name
    .split(/([\uD800-\uDFFF])/u)
    .map((part, at) => (at % 2 === 0 ? encodeURI(part) : `%u${part.charCodeAt(0).toString(16)}`))
    .join("");
}

/**
 * Of what the entries of a block are by themselves: which of them are one file is told by the whole tree. A JSON array can
 * say every string: a NUL cannot end one early, and lone surrogates are escaped.
 */
export function hashEntries(entries: readonly Known[], withOwners: boolean): Uint8Array {
  const text = entries.flatMap((known) => [known.entry.path, describeEntry(known, withOwners)]);
  return hash("sha256", JSON.stringify(text), "buffer");
}

/** Of a tree as its blocks have it, and of the names that files have in common. */
export interface TreeDigest {
  readonly addBlock: (digest: Uint8Array) => void;
  /** Takes each entry whose file has other names, in the order of the walk. */
  readonly addLinked: (entry: Entry) => void;
  readonly finish: () => Digest;
}

export function createTreeDigest(): TreeDigest {
  const [blocks, links] = [createHash("sha256"), createHash("sha256")];
  const findFirst = createFirstNames();
  return {
    addBlock: (digest) => void blocks.update(digest),
    addLinked: (entry) => {
      const first = findFirst(entry);
      if (first !== undefined) links.update(JSON.stringify([entry.path, first]));
    },
    finish: () => {
      const whole = hash("sha256", Buffer.concat([blocks.digest(), links.digest()]), "hex");
      return `sha256:${whole}`;
    },
  };
}
