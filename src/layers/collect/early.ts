import { type FSWatcher, readSync, rmSync, watch } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import {
  type ByteString,
  closeDirectory,
  closeFile,
  type Entry,
  identifyFile,
  openDirectory,
  openFile,
  openOutput,
  type OutputDirectory,
  statName,
} from "../../archive/archive.ts";
import { isJsonObject, tryParseJson } from "../../oci/oci.ts";
import { joinSignals } from "../../system/signals.ts";
import type { CollectOptions } from "../model.ts";
import type { FoundLayer } from "./found-layer.ts";
import { toBytes } from "./listing.ts";
import { collectLoose, type LooseJob } from "./loose.ts";
import { indexPrevious, type PreviousLayers } from "./previous.ts";

/** A layer that was packed before its build had ended. */
export interface EarlyLayer {
  readonly found: FoundLayer;
  /** How many of its archive were looked through. */
  readonly bytes: number;
  /** What was in it, as far as it is compared with other layers. */
  readonly directories: readonly Entry[];
}

/** Packs archives as soon as a running build lists them in `output/history.jsonl`. */
export interface EarlyLayers {
  /** Looks no further and begins nothing more: what is at work may still be taken. Idempotent. */
  readonly stop: () => void;
  /**
   * What the layer came to, where nothing has touched its file since that was opened; undefined where it has to be read
   * (again). To be asked when every process of the build has ended.
   */
  readonly take: (job: LooseJob) => Promise<EarlyLayer | undefined>;
  /** Removes what nobody took. */
  readonly drop: () => Promise<void>;
}

/**
 * Whatever goes wrong here is no error: the layer is packed when the build has ended, and that tells. A file is left
 * alone as well where another program could still have it open for writing by then: then its ctime tells.
 */
export function collectEarly(outputDirectory: string, options: CollectOptions): EarlyLayers {
  const stopped = new AbortController();
  const dropped = new AbortController();
  const signal = joinSignals([dropped.signal, ...(options.signal ? [options.signal] : [])]);
  const output = openOutput(outputDirectory);
  const packing: Packing = {
    output,
    options: { ...options, signal },
    previous: indexPrevious(options.previous),
  };
  const limit = pLimit(Math.max(1, availableParallelism() - 1));
  const jobs = new Map<ByteString, Promise<Packed | undefined>>();
  const begin = ({ fileName, name }: Listed): void => {
    const run = (): Promise<Packed | undefined> =>
      stopped.signal.aborted
        ? Promise.resolve(undefined)
        : packEarly({ fileName, name }, packing).catch(() => undefined);
    if (!jobs.has(fileName)) jobs.set(fileName, limit(run));
  };
  const lines = createLineReader(output);
  const look = (): void => {
    for (const line of lines()) {
      const listed = readListed(line);
      if (listed !== undefined) begin(listed);
    }
  };
  const watcher = watchHistory(outputDirectory, look);
  const stop = (): void => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    watcher?.close();
    void Promise.all(jobs.values()).finally(() => closeDirectory(output));
  };
  return {
    stop,
    take: async ({ directory, layer: { fileName }, name }) => {
      const packed = await jobs.get(fileName);
      if (packed?.name !== name || packed.identity !== identifyFile(directory, fileName))
        return undefined;
      jobs.delete(fileName);
      return packed;
    },
    drop: async () => {
      stop();
      dropped.abort();
      for (const packed of await Promise.all(jobs.values())) discard(packed?.found);
      jobs.clear();
    },
  };
}

/** A layer that a line of the history lists. */
interface Listed {
  /** In `output/layers`. */
  readonly fileName: ByteString;
  readonly name: string;
}

interface Packed extends EarlyLayer {
  readonly name: string;
  readonly identity: string | undefined;
}

interface Packing {
  readonly output: OutputDirectory;
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
}

/** Where the machine can watch no more directories, nothing is packed early. */
function watchHistory(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      if (name === "history.jsonl") onChange();
    });
    return watcher.on("error", () => watcher.close());
  } catch {
    return undefined;
  }
}

/** Bytes that are looked at in all, as of any document of the output; a longer line is none of the helper's. */
const maxHistory = 4 * 1024 * 1024;

/** Gives the whole lines that were added to the history since it was asked last. */
function createLineReader(output: OutputDirectory): () => readonly string[] {
  let at = 0;
  let rest = "";
  return () => {
    const added = readFrom(output, at);
    at += added.length;
    const lines = (rest + added.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    return lines;
  };
}

function readFrom(output: OutputDirectory, position: number): Buffer {
  try {
    const file = openFile(output, "history.jsonl");
    try {
      const length = Math.min(file.stats.size, maxHistory) - position;
      const bytes = Buffer.alloc(Math.max(length, 0));
      return bytes.subarray(0, readSync(file.fd, bytes, 0, bytes.length, position));
    } finally {
      closeFile(file);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function readListed(line: string): Listed | undefined {
  const entry = tryParseJson(line);
  if (!isJsonObject(entry)) return undefined;
  const { path, created_by: name } = entry;
  if (typeof path !== "string" || typeof name !== "string") return undefined;
  const fileName = /^layers\/([^/]+\.tar(?:\.gz|\.zst)?)$/.exec(path)?.[1];
  return fileName === undefined ? undefined : { fileName: toBytes(fileName), name };
}

/**
 * Milliseconds that a file must have been left alone before it is read: a change within the same tick of the kernel's
 * clock (4 or 10 ms) would leave its ctime as it is.
 */
const tick = 25;
/** How often a file that was not left alone is looked at again. */
const looks = 4;

async function packEarly(listed: Listed, packing: Packing): Promise<Packed | undefined> {
  const directory = openDirectory(packing.output, "layers");
  try {
    return await packSettled(listed, directory, packing);
  } finally {
    closeDirectory(directory);
  }
}

async function packSettled(
  { fileName, name }: Listed,
  directory: OutputDirectory,
  { options, previous }: Packing,
): Promise<Packed | undefined> {
  const identity = await identifySettled(directory, fileName, options.signal);
  const stats = statName(directory, fileName);
  // A file system that counts whole seconds would not tell a change within one.
  if (stats?.type !== "file" || identity?.endsWith("000000000") !== false) return undefined;
  const directories: Entry[] = [];
  const warnings: unknown[] = [];
  let bytes = 0;
  const onProgress: CollectOptions["onProgress"] = (done) => void (bytes += done.bytes ?? 0);
  const found = await collectLoose(
    { directory, name, layer: { kind: "archive", name, fileName, stats, order: undefined } },
    {
      options: { ...options, onProgress },
      previous,
      findXattrs: () => [],
      onEntry: (entry) => void (entry.type === "directory" && directories.push(entry)),
      warn: (warning) => void warnings.push(warning),
    },
  );
  if (identifyFile(directory, fileName) === identity && warnings.length === 0)
    return { name, identity, found, bytes, directories };
  discard(found);
  return undefined;
}

/**
 * What identifies the file as soon as it was left alone for a tick; undefined where something still writes to it, or it
 * is not there. Nothing is compared with the clock of this process, which may be another one than the file system's, or
 * be set meanwhile.
 */
async function identifySettled(
  directory: OutputDirectory,
  fileName: ByteString,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  let last = identifyFile(directory, fileName);
  for (let left = looks; left > 0; left -= 1) {
    await sleep(tick, undefined, { signal });
    const identity = identifyFile(directory, fileName);
    if (identity === last) return identity;
    last = identity;
  }
  return undefined;
}

function discard(found: FoundLayer | undefined): void {
  if (found?.kind === "new") rmSync(found.blob.path, { force: true });
}
