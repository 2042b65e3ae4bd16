import {
  copyFileSync,
  createWriteStream,
  mkdirSync,
  chmodSync,
  readFileSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { renderSize } from "../units.ts";
import { detectPacking, unpackArchive } from "./archive.ts";
import type { FetchedSource, FetchPlace, HttpSource, RemoteSource } from "./model.ts";
import { describeSource } from "./parse.ts";
import { refuseArchive } from "./problems.ts";

/** What a user writes by hand is shorter. Bytes. */
const longest = 64 * 1024 * 1024;

/**
 * Brings a context here, into a private directory that goes with the command.
 * @param input standard input, where the source is that
 * @throws XbuildError `context-unavailable`, `context-archive-invalid`, `context-not-found`; the signal's reason
 */
export async function fetchSource(
  source: RemoteSource,
  place: FetchPlace,
  input: Readable,
): Promise<FetchedSource> {
  const context = join(place.directory, "context");
  mkdirSync(context);
  // Whatever the umask is.
  chmodSync(context, 0o755);
  if (source.kind === "git") {
    const { fetchRepository } = await import("./git.ts");
    return {
      context: await fetchRepository(source, { ...place, directory: context }),
      archive: undefined,
    };
  }
  const archive = join(place.directory, "archive");
  const shown = describeSource(source);
  if (source.kind === "http") {
    const { downloadFile } = await import("./download.ts");
    await downloadFile(source, archive, { ...place, onSize: watchSize(archive, shown) });
  } else {
    await keepInput(input, archive, { ...place, onSize: watchSize(archive, shown) });
  }
  await unpackFile(archive, { context, shown }, place);
  return { context, archive };
}

/** A Containerfile behind a URL. Errors: as `fetchSource` */
export async function fetchText(source: HttpSource, place: FetchPlace): Promise<Buffer> {
  const { downloadFile } = await import("./download.ts");
  const path = join(place.directory, "containerfile");
  const shown = describeSource(source);
  await downloadFile(source, path, { ...place, onSize: (size) => assertShort(size, shown) });
  return readFileSync(path);
}

/** What is no archive ends the fetching as soon as it is too long: it may have no end. */
function watchSize(path: string, shown: string): (size: number) => void {
  let isArchive = false;
  return (size) => {
    if (isArchive || size <= longest) return;
    isArchive = detectPacking(path) !== undefined;
    if (!isArchive) assertShort(size, shown);
  };
}

function assertShort(size: number, shown: string): void {
  if (size <= longest) return;
  const reason = "it is no tar archive, and too long for a Containerfile (more than 64 MiB)";
  throw refuseArchive(shown, reason, "give a tar archive, or a Containerfile");
}

interface Sized {
  /** Told how many bytes are there; what it throws ends the fetching. */
  readonly onSize: (size: number) => void;
}

async function keepInput(
  input: Readable,
  path: string,
  { signal, onProgress, onSize }: FetchPlace & Sized,
): Promise<void> {
  let size = 0;
  addAbortSignal(signal, input);
  await pipeline(
    input,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        onSize(size);
        onProgress(renderSize(size));
        yield chunk;
      }
    },
    createWriteStream(path, { flags: "wx", mode: 0o600 }),
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  if (size > 0) return;
  const hint = "give it a tar archive or a Containerfile: tar -c . | xbuild build -";
  throw refuseArchive("standard input", "it is empty", hint);
}

interface Target {
  readonly context: string;
  readonly shown: string;
}

/** An archive is the context; a text is a Containerfile, and the context has nothing else. */
async function unpackFile(
  path: string,
  { context, shown }: Target,
  place: FetchPlace,
): Promise<void> {
  const packing = detectPacking(path);
  if (packing !== undefined) return unpackArchive({ path, packing, shown }, context, place);
  assertShort(statSync(path).size, shown);
  const file = join(context, "Dockerfile");
  copyFileSync(path, file);
  chmodSync(file, 0o644);
}
