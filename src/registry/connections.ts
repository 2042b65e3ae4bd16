import { Socket } from "node:net";
import { Readable } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";
import { setFlagsFromString } from "node:v8";
import type { Agent, Dispatcher } from "undici";
import type { Certificates } from "./certificates.ts";
import type { HttpOptions, HttpRequest } from "./http.ts";
import { createRegistryError } from "./failures.ts";
import { findProxy, type Proxy } from "./proxy.ts";

/** Sends one request, on a connection that others may use after it. It rejects where no answer begins. Errors: undici's. */
export type Ask = (request: HttpRequest, signal: AbortSignal) => Promise<Answer>;

/** Its body has not been read yet. */
export type Answer = Dispatcher.ResponseData;

/** Bytes of all headers of an answer together; one with more is none. */
const maxHeaderSize = 16 * 1024;
const maxSockets = 8;
/** Milliseconds: steps of a build lie between two questions. A server that says how long it waits is believed. */
const longestIdle = 30_000;

/**
 * Connections to servers, by way of a proxy where the environment names one. What is asked over TLS goes through a
 * tunnel (CONNECT): the proxy learns names alone. All end with the signal; idle ones hold no process up.
 * @throws where the certificates cannot be used
 */
export async function openConnections(options: HttpOptions): Promise<Ask> {
  // undici's parser of HTTP is a module of WebAssembly. To compile it once more, for speed, takes V8 20 MB, and would
  // pay for itself after more answers than we ever get.
  setFlagsFromString("--liftoff-only");
  const { Agent, buildConnector } = await import("./undici-parts.ts");
  const { certificates, insecure, env, signal, timeout } = options;
  // Where nobody is verified, nobody need be trusted: to read a system's certificates takes as long as all else here.
  const trusted = insecure ? { ...certificates, ca: [] } : certificates;
  const ca = [...trusted.ca];
  const limits = {
    connections: maxSockets,
    keepAliveTimeout: longestIdle,
    maxHeaderSize,
    headersTimeout: timeout,
  };
  const tls = { rejectUnauthorized: !insecure, timeout };
  const connect = buildConnector({ ...tls, secureContext: openContext(trusted) });
  // The client's certificate is for the registry alone.
  const proxies = new Agent({ ...limits, connect: { ...tls, ca } });
  const servers = new Agent({
    ...limits,
    connect: (target, onSocket) => {
      const url = new URL(`${target.protocol}//${target.host}`);
      const proxy = findProxy(url, env);
      if (proxy === undefined) return connect(target, onSocket);
      openTunnel(proxies, proxy, url).then(
        (httpSocket) => connect({ ...target, httpSocket }, onSocket),
        (error: Error) => onSocket(error, null),
      );
    },
  });
  signal.addEventListener("abort", () => {
    void servers.destroy();
    void proxies.destroy();
  });
  return ({ url, method, headers = {}, body: content }, until) => {
    const body = openBody(content);
    const proxy = url.protocol === "http:" ? findProxy(url, env) : undefined;
    const path = url.pathname + url.search;
    // By itself undici ends a connection after each HEAD, and layers are asked after by hundreds.
    const common = { method, body, signal: until, reset: false };
    if (proxy === undefined)
      return servers.request({ ...common, origin: url.origin, path, headers });
    const { origin } = proxy;
    const shown = { ...headers, host: url.host, ...proxy.headers };
    return proxies.request({ ...common, origin, path: url.origin + path, headers: shown });
  };
}

/** Made once: else each client, and each of its connections, would read all of the certificates' texts. */
function openContext(certificates: Certificates): SecureContext {
  const [ca, cert, key] = [[...certificates.ca], [...certificates.cert], [...certificates.key]];
  const context = contexts.get(certificates) ?? createSecureContext({ ca, cert, key });
  contexts.set(certificates, context);
  return context;
}

const contexts = new WeakMap<Certificates, SecureContext>();

function openBody(
  body: HttpRequest["body"],
): NonNullable<Dispatcher.DispatchOptions["body"]> | null {
  if (typeof body === "function") return Readable.from(body(), { objectMode: false });
  return body ?? null;
}

/** RFC 9110, section 9.3.6. Errors with a code of ours: some of Node's are for undici a reason to connect again, without end. */
async function openTunnel(proxies: Agent, { origin, headers }: Proxy, url: URL): Promise<Socket> {
  const host = `${url.hostname}:${url.port || 443}`;
  const answer = await proxies
    .connect({ origin, path: host, headers: { host, ...headers } })
    .catch((cause: unknown) => {
      throw createRegistryError("proxy", "the proxy does not answer", cause);
    });
  if (answer.statusCode === 200 && answer.socket instanceof Socket) return answer.socket;
  answer.socket.destroy();
  throw createRegistryError("proxy", `the proxy answers ${answer.statusCode}`);
}
