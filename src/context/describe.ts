import { createHash } from "node:crypto";
import type { Digest } from "../oci/oci.ts";
import type { Known } from "./block-layout.ts";
import { kindOf } from "./entry.ts";

/** What a path is: kind, mode, content; and what else counts. */
export type Describe = (known: Known) => string;

/** Says of each entry, in the order of the walk, what it is. */
export function createDescriber(withOwners: boolean): Describe {
  const firstNames = new Map<string, string>();
  return ({ entry, content }) => {
    let description = `${kindOf(entry)} ${(entry.mode & 0o7777).toString(8)}`;
    if (withOwners) description += `,${entry.uid}:${entry.gid}`;
    if (entry.isLinked) {
      const inode = `${entry.dev}:${entry.ino}`;
      const first = firstNames.get(inode);
      if (first === undefined) firstNames.set(inode, entry.path);
      else description += `,=${encodeName(first)}`;
    }
    return content === "" ? description : `${description} ${content}`;
  };
}

/** Without blanks and commas. Lone surrogates, which are bytes that are no UTF-8, encodeURI does not take. */
function encodeName(name: string): string {
  return name
    .split(/([\uD800-\uDFFF])/u)
    .map((part, at) => (at % 2 === 0 ? encodeURI(part) : `%u${part.charCodeAt(0).toString(16)}`))
    .join("");
}

export interface TreeDigest {
  readonly add: (path: string, description: string) => void;
  readonly finish: () => Digest;
}

/** Characters that are hashed at once. */
const maxText = 64 * 1024;

/** Of a JSON array, because it can say every string: a NUL cannot end one early, and lone surrogates are escaped. */
export function createTreeDigest(): TreeDigest {
  const hash = createHash("sha256");
  let text = "";
  let separator = "[";
  return {
    add: (path, description) => {
      text += `${separator}${JSON.stringify(path)},${JSON.stringify(description)}`;
      separator = ",";
      if (text.length < maxText) return;
      hash.update(text);
      text = "";
    },
    finish: () => {
      const end = separator === "[" ? "[]" : "]";
      return `sha256:${hash.update(text + end).digest("hex")}`;
    },
  };
}
