import { setImmediate as nextTurn } from "node:timers/promises";
import { systemCode } from "../system/errno.ts";
import type { Environment } from "./access.ts";
import { createRegistryError } from "./failures.ts";
import type { Certificates } from "./certificates.ts";
import { isLoopback } from "./proxy.ts";
import { openConnections, type Answer, type Ask } from "./connections.ts";

export interface HttpRequest extends HttpContent {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
}

export interface HttpContent {
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is made anew for each try; its length stands in a header. */
  readonly body?: string | Uint8Array | (() => Chunks);
  /** Takes the body of an answer 200, once for each try. Where it is slow, the server waits. */
  readonly sink?: (chunks: Chunks) => Promise<void>;
  /** So many bytes of other bodies are kept. Undefined: one MiB. */
  readonly maxBody?: number;
  /** The asker makes it again himself, where that is to be done. */
  readonly isSingle?: boolean;
}

export type Chunks = AsyncIterable<Uint8Array>;

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. Of one that comes several times the first, of challenges all, with commas between. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As much of it as is kept. */
  readonly body: Buffer;
}

export interface HttpOptions {
  readonly certificates: Certificates;
  /** Certificates are not verified, and plain HTTP is allowed. */
  readonly insecure: boolean;
  /** Plain HTTP is allowed to addresses of this machine: for requests that show nobody's credentials. */
  readonly isAnonymous?: boolean;
  /** Plain HTTP is allowed, certificates being verified all the same: what is asked for is no registry's. */
  readonly allowsPlain?: boolean;
  readonly env: Environment;
  /** Milliseconds that one answer may take as a whole; of a stream, until the next of it. */
  readonly timeout: number;
  /** Ends all requests and all connections. */
  readonly signal: AbortSignal;
}

/** One request, redirects followed. It rejects where there is no answer in time. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

const maxBodySize = 1024 * 1024;
const maxRedirects = 5;

/** A client whose connections stay open for further requests. Errors: undici's. @throws where the certificates cannot be used */
export async function openHttp(options: HttpOptions): Promise<Send> {
  const ask = await openConnections(options);
  return (request) => follow(request, ask, options);
}

/** Blobs are often elsewhere, where the registry's credentials are nobody's business (CVE-2020-15157). */
async function follow(request: HttpRequest, ask: Ask, options: HttpOptions): Promise<HttpResponse> {
  let next = request;
  for (let hops = 0; ; hops += 1) {
    const response = await exchange(next, ask, options);
    const { location } = response.headers;
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status);
    const mayFollow = request.method === "GET" || request.method === "HEAD";
    if (!isRedirect || !mayFollow || location === undefined || hops === maxRedirects) {
      return response;
    }
    const url = new URL(location, next.url);
    const { authorization: _, ...others } = next.headers ?? {};
    next = url.origin === next.url.origin ? { ...next, url } : { ...next, url, headers: others };
  }
}

async function exchange(
  request: HttpRequest,
  ask: Ask,
  { insecure, isAnonymous = false, allowsPlain = false, signal, timeout }: HttpOptions,
): Promise<HttpResponse> {
  const { protocol } = request.url;
  const mayBePlain = insecure || allowsPlain || (isAnonymous && isLoopback(request.url));
  if (protocol !== "https:" && !(mayBePlain && protocol === "http:")) {
    throw createRegistryError("tls", "it leads to an address that is not over TLS");
  }
  signal.throwIfAborted();
  // AbortSignal.timeout() within AbortSignal.any() is collected, and forgotten, by Node 20.
  const late = new AbortController();
  const giveUp = (): void => late.abort(createTimeout(timeout));
  const timer = setTimeout(giveUp, timeout);
  const until = AbortSignal.any([signal, late.signal]);
  try {
    return await new Promise((resolve, reject) => {
      // Undici listens to it when it is connected, and not before.
      until.addEventListener("abort", () => reject(until.reason));
      const watched = watch(request, () => void timer.refresh());
      exchangeOnce(watched, ask, until).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}

function createTimeout(timeout: number): Error {
  return createRegistryError("connection", `timed out: nothing came for ${timeout / 1000} s`);
}

/** The same request, which tells of each part of a stream that goes or comes. */
function watch(request: HttpRequest, onChunk: () => void): HttpRequest {
  const { body, sink } = request;
  const streamed = typeof body === "function" ? { body: () => tell(body(), onChunk) } : {};
  const taken = sink === undefined ? {} : { sink: (all: Chunks) => sink(tell(all, onChunk)) };
  return { ...request, ...streamed, ...taken };
}

async function* tell(chunks: Chunks, onChunk: () => void): Chunks {
  for await (const chunk of chunks) {
    onChunk();
    yield chunk;
  }
}

/** How a connection ends before there is an answer. */
const cutCodes = new Set<unknown>(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

async function exchangeOnce(
  request: HttpRequest,
  ask: Ask,
  until: AbortSignal,
): Promise<HttpResponse> {
  const sent = { ...request, headers: { "user-agent": "xbuild", ...request.headers } };
  const answer = await ask(sent, until).catch((error: unknown) => {
    if (!cutCodes.has(systemCode(error)) || request.isSingle === true) throw error;
    // Perhaps the server closed a connection at the moment when it was to be used again.
    return ask(sent, until);
  });
  const body = await takeBody(request, answer);
  // One turn later the connection may be used again; whoever asks before that gets one more.
  await nextTurn();
  return { status: answer.statusCode, headers: readHeaders(answer), body };
}

function readHeaders({ headers }: Answer): HttpResponse["headers"] {
  const entries = Object.entries(headers).map(([name, value]) => {
    const all = Array.isArray(value) ? value : [value];
    return [name, name === "www-authenticate" ? all.join(", ") : all[0]] as const;
  });
  return Object.fromEntries(entries);
}

async function takeBody({ sink, maxBody }: HttpRequest, answer: Answer): Promise<Buffer> {
  if (sink === undefined || answer.statusCode !== 200) {
    return readBody(answer.body, maxBody ?? maxBodySize);
  }
  await sink(answer.body);
  return Buffer.alloc(0);
}

async function readBody(body: Chunks, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
