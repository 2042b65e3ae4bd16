import { type FileHandle, open } from "node:fs/promises";
import { XbuildError } from "../errors.ts";
import { openHttp, readCertificates } from "../registry/registry.ts";
import { joinSignals } from "../system/signals.ts";
import { renderSize } from "../units.ts";
import type { FetchPlace, HttpSource } from "./model.ts";
import { nameSource } from "./parse.ts";
import { refuseFetch } from "./problems.ts";

export interface DownloadPlace extends Omit<FetchPlace, "directory"> {
  /** Told how many bytes are there; what it throws ends the download. */
  readonly onSize: (size: number) => void;
}

/**
 * Writes what an address gives to a file: redirects are followed, but never from TLS to none, and user and password
 * go to the address's own host alone. Errors: `context-unavailable`, the signal's reason, those of writing.
 */
export async function downloadFile(
  source: HttpSource,
  path: string,
  place: DownloadPlace,
): Promise<void> {
  const shown = nameSource(source);
  const file = await open(path, "wx", 0o600);
  try {
    const status = await ask(source, (chunks) => writeChunks(chunks, file, place), place);
    if (status !== 200) throw refuseStatus(shown, status);
    const { size } = await file.stat();
    if (size === 0) throw refuseFetch(shown, "it is empty", { hint: "check the address" });
  } catch (error) {
    place.signal.throwIfAborted();
    throw explain(shown, error);
  } finally {
    await file.close();
  }
}

/** From the beginning: a request that was cut is made once more. */
async function writeChunks(
  chunks: AsyncIterable<Uint8Array>,
  file: FileHandle,
  { onProgress, onSize }: DownloadPlace,
): Promise<void> {
  let size = 0;
  await file.truncate();
  for await (const chunk of chunks) {
    await file.write(chunk, 0, chunk.length, size);
    size += chunk.length;
    onSize(size);
    onProgress(renderSize(size));
  }
}

/** @returns the status of the answer */
async function ask(
  { url, userInfo }: HttpSource,
  sink: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  { env, signal, timeout }: Omit<FetchPlace, "directory">,
): Promise<number> {
  // The connections end with it.
  const closing = new AbortController();
  const until = joinSignals([signal, closing.signal]);
  try {
    const certificates = await readCertificates(url.host, { env });
    const allowsPlain = url.protocol === "http:";
    const options = { certificates, insecure: false, allowsPlain, env, timeout, signal: until };
    const send = await openHttp(options);
    const headers = userInfo === undefined ? {} : { authorization: basic(userInfo) };
    return (await send({ method: "GET", url, headers, sink })).status;
  } finally {
    closing.abort();
  }
}

function basic({ username, password }: NonNullable<HttpSource["userInfo"]>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function refuseStatus(shown: string, status: number): XbuildError {
  const hints: Readonly<Record<number, string>> = {
    401: "give user and password in the URL (https://USER:PASSWORD@HOST/...)",
    403: "check that you may read it",
    404: "check the address",
    407: "check HTTP_PROXY and HTTPS_PROXY with user and password",
  };
  const other = status < 400 ? "name the address that it leads to" : "try again later";
  return refuseFetch(shown, `the server answers ${status}`, { hint: hints[status] ?? other });
}

/** What has no answer. Errors of the disk stay as they are. */
function explain(shown: string, error: unknown): unknown {
  if (error instanceof XbuildError) {
    if (error.code.startsWith("context-")) return error;
    const hint =
      error.code === "registry-tls"
        ? "put the server's CA where this machine keeps those that it trusts"
        : "check the address, the network and the proxies";
    return refuseFetch(shown, error.message, { hint, cause: error });
  }
  const isOfDisk = error instanceof Error && "syscall" in error && error.syscall === "write";
  if (isOfDisk || !(error instanceof Error)) return error;
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const { message } = first instanceof Error && error.message === "" ? first : error;
  return refuseFetch(shown, message, { hint: "check the address and the network", cause: error });
}
