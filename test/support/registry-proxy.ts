import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server, Socket } from "node:net";
import { createCertificates } from "./registry-certificates.ts";
import { createFaultList, type Fault, type FaultRule } from "./registry-faults.ts";
import { createRequestLog, type OpenRecord, type RequestLog } from "./registry-records.ts";
import { serve, type ServeContext } from "./registry-serve.ts";
import { createTokenServer } from "./registry-tokens.ts";
import type { Registry } from "./registry.ts";

/** A reverse proxy in front of a registry: it counts, and does what a test tells it to do wrong. */
export interface RegistryProxy extends RequestLog {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** The CA's certificate, PEM, alone in its directory (a `--cert-dir`); undefined without TLS. */
  readonly caFile: string | undefined;
  /**
   * Sets a fault. Requests have it before anybody asks for their rights: where a client tries without
   * them first, a rule that counts should look at `authorized`.
   */
  readonly fault: (fault: Fault) => FaultRule;
  /** How many connections were open at once, at most. */
  readonly mostConnections: () => number;
  /** Takes all faults away. */
  readonly clearFaults: () => void;
  /** Closes all connections. */
  readonly stop: () => Promise<void>;
}

export interface ProxyOptions {
  /** A directory for its certificates: with TLS, then; without it without. */
  readonly certificates?: string;
  /** Whether it asks for bearer tokens itself; the registry then asks for nothing. */
  readonly tokens?: boolean;
}

/** Starts a proxy on a free port of 127.0.0.1. The registry behind it is not stopped with it. */
export async function startRegistryProxy(
  registry: Registry,
  options: ProxyOptions = {},
): Promise<RegistryProxy> {
  const certificates =
    options.certificates === undefined ? undefined : await createCertificates(options.certificates);
  const scheme = certificates === undefined ? "http" : "https";
  const server = certificates === undefined ? createServer() : createTlsServer(certificates);
  // Whoever keeps a connection open may use it whenever he likes.
  Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0 });
  const { close, countMost } = trackConnections(server);
  const host = `127.0.0.1:${await listen(server)}`;
  const url = `${scheme}://${host}`;
  const tokens = options.tokens === true ? createTokenServer(`${url}/token`) : undefined;
  const log = createRequestLog();
  const faults = createFaultList();
  const stop = new AbortController();
  const context = { registry, scheme, faults, tokens, stopping: stop.signal } as const;
  server.on("request", createListener(context, log.add));
  return {
    ...log,
    get requests() {
      return log.requests;
    },
    host,
    url,
    caFile: certificates?.caFile,
    fault: faults.add,
    mostConnections: countMost,
    clearFaults: faults.clear,
    stop: () => {
      stop.abort();
      return close();
    },
  };
}

/** What closes them all, and the server with them; how many there were at once. */
function trackConnections(server: Server): {
  readonly close: () => Promise<void>;
  readonly countMost: () => number;
} {
  const sockets = new Set<Socket>();
  let most = 0;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.once("close", () => void sockets.delete(socket));
  });
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { close, countMost: () => most };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return address.port;
}

function createListener(context: ServeContext, add: (record: OpenRecord) => void): RequestListener {
  return (request, response) => {
    const record = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorized: request.headers.authorization !== undefined,
      length: request.headers["content-length"],
      status: undefined,
      sent: 0,
      received: 0,
    };
    add(record);
    serve(context, { request, response, record }).catch(() => response.destroy());
  };
}
