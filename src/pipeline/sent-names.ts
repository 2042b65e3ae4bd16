import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { forgetSent, recordSent } from "../context/context.ts";
import { blobsKey, type SentDirectory } from "../engine/engine.ts";
import { contextCachePath, openKeyedHash, type Store } from "../store/store.ts";
import type { BuildRequest } from "./request.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** How directories are sent to an engine elsewhere, by their paths. */
export async function listSent(
  { request, inputs }: Build,
  work: BuildWorkspace,
): Promise<ReadonlyMap<string, SentDirectory>> {
  if (!work.engine.isElsewhere) return new Map();
  const hash = await openKeyedHash(work.store);
  const name = (text: string): string => `xbuild-${hash(text).split(":")[1]?.slice(0, 24)}`;
  const directories = listDirectories(request).map((path) => {
    const own = `${name(path)}-${findGeneration(path, inputs, work)}`;
    return [path, describeSent(own, path, work)] as const;
  });
  return new Map([
    ...directories,
    [blobsKey, { name: name(blobsKey), alias: undefined, isKept: () => true, keep: doNothing }],
  ]);
}

function findGeneration(
  path: string,
  { reads, directories }: Build["inputs"],
  { store }: BuildWorkspace,
): string {
  // What steps may read of it is not known: then neither is what was sent.
  if (reads === undefined) return randomBytes(8).toString("hex");
  const snapshots = reads
    .filter((one) => one.path === path)
    .flatMap(({ role }) => directories.get(role)?.snapshot ?? []);
  return recordSent(nameRecord(path, store), snapshots);
}

function describeSent(name: string, path: string, { store }: BuildWorkspace): SentDirectory {
  const recordFor = (builder: string): string =>
    contextCachePath(store, JSON.stringify(["kept", builder, path]));
  return {
    name,
    alias: makeAlias(contextCachePath(store, `alias ${name}`), path),
    isKept: (builder) => readText(recordFor(builder)) === name,
    keep: (builder) => writeText(recordFor(builder), name),
  };
}

/** A path that nobody has used before this name. */
function makeAlias(alias: string, path: string): string | undefined {
  try {
    mkdirSync(dirname(alias), { recursive: true });
    rmSync(alias, { force: true });
    symlinkSync(path, alias);
    return alias;
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Where it cannot be written, the directory is sent anew the next time. */
function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch {
    rmSync(path, { force: true });
  }
}

/** Where something changed while it may have been sent. */
export function forgetNames({ request }: Build, { store, engine }: BuildWorkspace): void {
  if (!engine.isElsewhere) return;
  for (const path of listDirectories(request)) forgetSent(nameRecord(path, store));
}

function listDirectories({ steps }: BuildRequest): readonly string[] {
  return [...new Set([steps.context, ...steps.buildContexts.values()].filter(isAbsolute))];
}

function nameRecord(path: string, store: Store): string {
  return contextCachePath(store, `sent ${path}`);
}

function doNothing(): void {
  // Blobs are named by what they are.
}
