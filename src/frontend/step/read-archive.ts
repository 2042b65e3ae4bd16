import { join } from "node:path";
import {
  type ByteString,
  createEntryChecker,
  type Entry,
  listParents,
  openArchive,
  openLayer,
  readName,
} from "../../archive/archive.ts";
import type { StepRequest } from "./messages.ts";
import { layersName, places } from "./messages.ts";

/** What BuildKit has to be helped with when it unpacks a layer. */
export interface ArchiveFacts {
  readonly isEmpty: boolean;
  /** Directories with an entry of their own. */
  readonly directories: ReadonlyMap<ByteString, Entry>;
  /** Others that something lies in, each with the first entry in it, parents first. */
  readonly implied: ReadonlyMap<ByteString, Entry>;
  /** Hard links to files with attributes, with these: where BuildKit makes a link, the file loses its capabilities. */
  readonly links: readonly Entry[];
  /** Paths that are removed of the layers below. image-spec v1.1, layer.md, "Whiteouts" */
  readonly removed: readonly ByteString[];
  /** Paths with attributes that BuildKit does not export. */
  readonly lost: readonly ByteString[];
}

export interface LayerArchive {
  readonly path: string;
  /** The layer's name in errors. */
  readonly shown: string;
}

/** Reads the headers of a layer that was packed. Errors: those of `openArchive`. */
export async function readArchive(
  { path, shown }: LayerArchive,
  { allowDevices, maxLayerSize }: StepRequest,
): Promise<ArchiveFacts> {
  const entries: Entry[] = [];
  const check = createEntryChecker({ file: shown, allowDevices });
  const options = { staging: join(places.result, layersName), maxLayerSize };
  const archive = await openArchive(openLayer({ path, shown }), options, (entry) => {
    check(entry);
    if (entry.path !== "") entries.push(entry);
  });
  archive.close();
  return describeEntries(entries);
}

/** @param entries in the order of the archive */
export function describeEntries(entries: readonly Entry[]): ArchiveFacts {
  const directories = new Map(entries.filter(isDirectory).map((one) => [one.path, one]));
  const files = new Map(entries.map((one) => [one.path, one]));
  const names = entries.map(({ path }) => readName(path));
  return {
    isEmpty: entries.length === 0,
    directories,
    implied: listImplied(entries, directories),
    links: entries.flatMap((one) => {
      const xattrs = one.type === "hard-link" ? (files.get(one.link)?.xattrs ?? []) : [];
      return xattrs.length === 0 ? [] : [{ ...one, xattrs }];
    }),
    removed: names.flatMap((one) => (one.kind === "removed" ? [one.path] : [])),
    lost: entries.flatMap(({ path, xattrs }) =>
      xattrs.some(([name]) => name !== "security.capability") ? [path] : [],
    ),
  };
}

function isDirectory({ type }: Entry): boolean {
  return type === "directory";
}

function listImplied(
  entries: readonly Entry[],
  directories: ReadonlyMap<ByteString, Entry>,
): ReadonlyMap<ByteString, Entry> {
  const implied = new Map<ByteString, Entry>();
  for (const entry of entries) {
    const parents = [...listParents(entry.path)].toReversed();
    for (const path of parents)
      if (path !== "" && !directories.has(path) && !implied.has(path)) implied.set(path, entry);
  }
  return implied;
}
