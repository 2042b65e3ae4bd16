import * as http from "node:http";
import * as https from "node:https";
import { createSecureContext } from "node:tls";
import { systemCode } from "../system/errno.ts";
import type { Environment } from "./access.ts";
import type { Certificates } from "./certificates.ts";
import { isProxied } from "./proxy.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Its first MiB. */
  readonly body: string;
}

export interface HttpOptions {
  readonly certificates: Certificates;
  /** Certificates are not verified, and plain HTTP is allowed. */
  readonly insecure: boolean;
  readonly env: Environment;
  /** Milliseconds that one answer may take as a whole. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** One request, redirects followed. It rejects where there is no answer in time. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

const maxBodySize = 1024 * 1024;
/** Bytes of all headers of an answer together; one with more is none. */
const maxHeaderSize = 16 * 1024;
const maxRedirects = 5;
const maxSockets = 8;

/**
 * A client whose connections stay open for further requests; idle ones hold no process up. Proxies are not
 * supported: a request that is to go through one is not made. Errors: Node's.
 */
export function openHttp(options: HttpOptions): {
  readonly send: Send;
  readonly close: () => void;
} {
  const { ca, cert, key } = options.certificates;
  const agents: Agents = {
    http: new http.Agent({ keepAlive: true, maxSockets }),
    https: new https.Agent({
      keepAlive: true,
      maxSockets,
      rejectUnauthorized: !options.insecure,
      // Made once: an agent that has the certificates' texts compares all of them at each request.
      secureContext: createSecureContext({ ca: [...ca], cert: [...cert], key: [...key] }),
    }),
  };
  return {
    send: (request) => follow(request, agents, options),
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** Blobs are often elsewhere, where the registry's credentials are nobody's business (CVE-2020-15157). */
async function follow(
  request: HttpRequest,
  agents: Agents,
  options: HttpOptions,
): Promise<HttpResponse> {
  let next = request;
  for (let hops = 0; ; hops += 1) {
    const response = await exchange(next, agents, options);
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

/** The server closed a connection at the moment when it was to be used again. */
class StaleConnection extends Error {}

async function exchange(
  request: HttpRequest,
  agents: Agents,
  options: HttpOptions,
): Promise<HttpResponse> {
  assertAllowed(request.url, options);
  for (;;) {
    try {
      return await exchangeOnce(request, agents, options);
    } catch (error) {
      // There are as many of them as there are idle connections, no more.
      if (!(error instanceof StaleConnection)) throw error;
    }
  }
}

async function exchangeOnce(
  { url, method, headers, body }: HttpRequest,
  agents: Agents,
  { signal, timeout }: HttpOptions,
): Promise<HttpResponse> {
  const isPlain = url.protocol === "http:";
  const length = method === "POST" ? { "content-length": Buffer.byteLength(body ?? "") } : {};
  const message = (isPlain ? http : https).request(url, {
    method,
    maxHeaderSize,
    agent: isPlain ? agents.http : agents.https,
    signal,
    headers: { "user-agent": "xbuild", ...length, ...headers },
  });
  // AbortSignal.timeout() within AbortSignal.any() is collected, and forgotten, by Node 20.
  const timer = setTimeout(() => message.destroy(new Error("timed out")), timeout);
  const answered = new Promise<HttpResponse>((resolve, reject) => {
    message.on("response", (response) => void readResponse(response).then(resolve, reject));
    message.on("upgrade", () => reject(new Error("not HTTP any more")));
    message.on("error", (error) => {
      const isStale = message.reusedSocket && systemCode(error) === "ECONNRESET";
      reject(isStale ? new StaleConnection() : error);
    });
  });
  message.end(body);
  return answered.finally(() => clearTimeout(timer));
}

function assertAllowed(url: URL, { insecure, env }: HttpOptions): void {
  if (url.protocol !== "https:" && !(insecure && url.protocol === "http:")) {
    throw new Error("not over TLS");
  }
  if (isProxied(url, env)) throw new Error("behind a proxy");
}

async function readResponse(response: http.IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBodySize) break;
  }
  const body = Buffer.concat(chunks).subarray(0, maxBodySize).toString("utf8");
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
