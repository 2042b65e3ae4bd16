import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { type AttributeReader, openAttributeReader } from "../system/xattrs.ts";
import { type Entry, kindOf } from "./entry.ts";
import { encodePath } from "./names.ts";

/** Hex sha256 of the extended attributes that count, by the paths of those of the entries that have some. */
export interface AttributeDigests {
  readonly read: (entries: readonly Entry[]) => Promise<ReadonlyMap<string, string>>;
  readonly close: () => void;
}

export function openAttributes(root: string, signal?: AbortSignal): AttributeDigests {
  let reader: AttributeReader | undefined;
  return {
    read: async (entries) => {
      const asked = entries.filter(hasAttributes);
      if (asked.length === 0) return new Map();
      // A root that is a file stands in no directory of ours.
      const isAlone = asked.some((entry) => entry.path === "" && kindOf(entry) === "file");
      const ownName = isAlone ? basename(root) : ".";
      reader ??= openAttributeReader(isAlone ? dirname(root) : root, signal);
      const paths = asked.map(({ path }) => toBytes(path || ownName));
      const found = await reader.read(paths);
      if (found.size === 0) return new Map();
      const digests = asked.map(({ path }, at) => [path, hashTexts(found.get(paths[at] ?? ""))]);
      return new Map(digests.filter((pair): pair is [string, string] => pair[1] !== undefined));
    },
    close: () => reader?.close(),
  };
}

function hasAttributes(entry: Entry): boolean {
  const kind = kindOf(entry);
  return kind === "file" || kind === "directory";
}

/** One character a byte. */
function toBytes(path: string): string {
  return Buffer.from(encodePath(path)).toString("latin1");
}

function hashTexts(texts: readonly string[] | undefined): string | undefined {
  if (texts === undefined) return undefined;
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}
