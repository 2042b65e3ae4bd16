import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { type AttributeReader, openAttributeReader } from "../system/xattrs.ts";
import { type Entry, kindOf } from "./entry.ts";
import { encodePath } from "./names.ts";

/** Hex sha256 of the extended attributes that count, by the paths of those of the entries that have some. */
export interface AttributeDigests {
  /** Told of an entry that will be asked for. */
  readonly expect: (entry: Entry) => void;
  readonly read: (entries: readonly Entry[]) => Promise<ReadonlyMap<string, string>>;
  readonly close: () => void;
}

export function openAttributes(root: string, signal?: AbortSignal): AttributeDigests {
  let reader: AttributeReader | undefined;
  const open = (isAlone: boolean): AttributeReader =>
    (reader ??= openAttributeReader(isAlone ? dirname(root) : root, signal));
  return {
    expect: (entry) => {
      if (reader === undefined && hasAttributes(entry)) open(isRootFile(entry)).start();
    },
    read: async (entries) => {
      const asked = entries.filter(hasAttributes);
      if (asked.length === 0) return new Map();
      const isAlone = asked.some(isRootFile);
      const ownName = isAlone ? basename(root) : ".";
      const found = await open(isAlone).read(joinPaths(asked.map(({ path }) => path || ownName)));
      if (found.size === 0) return new Map();
      return new Map(
        asked.flatMap(({ path }): readonly [string, string][] => {
          const texts = found.get(toBytes(path || ownName));
          return texts === undefined ? [] : [[path, hashTexts(texts)]];
        }),
      );
    },
    close: () => reader?.close(),
  };
}

/** A root that is a file stands in no directory of ours. */
function isRootFile(entry: Entry): boolean {
  return entry.path === "" && kindOf(entry) === "file";
}

function hasAttributes(entry: Entry): boolean {
  const kind = kindOf(entry);
  return kind === "file" || kind === "directory";
}

function joinPaths(paths: readonly string[]): Uint8Array {
  const text = paths.map((path) => `./${path}\0`).join("");
  return Buffer.from(encodePath(text));
}

/** One character a byte. */
function toBytes(path: string): string {
  return Buffer.from(encodePath(path)).toString("latin1");
}

function hashTexts(texts: readonly string[]): string {
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}
