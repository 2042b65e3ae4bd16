import { once } from "node:events";
import { createServer, request as createRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { portOf } from "./port.ts";

/** A forward proxy on 127.0.0.1. Whatever name it is asked for is this machine; the port counts. */
export interface ForwardProxy {
  /** `http://127.0.0.1:PORT`, what HTTP_PROXY is set to. */
  readonly url: string;
  /** What it was asked, in that order, refused or not. */
  readonly requests: readonly ProxyRequest[];
  /** Ends all connections. */
  readonly stop: () => Promise<void>;
}

export interface ProxyRequest {
  /** "CONNECT" for a tunnel. */
  readonly method: string;
  /** `HOST:PORT` of a tunnel, else the address in full. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ForwardProxyOptions {
  /** `USER:PASSWORD`, without which it answers 407. */
  readonly credentials?: string;
  /** What it answers to everything, in place of what it was asked for. */
  readonly status?: number;
  /** It speaks TLS itself. PEM. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

/** Starts a proxy on a free port. RFC 9110, sections 7.6 and 9.3.6 */
export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: ProxyRequest[] = [];
  const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  const sockets = new Set<Duplex>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  const take = ({ method = "", url = "", headers }: IncomingMessage): number => {
    requests.push({ method, target: url, headers });
    return options.status ?? judge(options, headers);
  };
  server.on("request", (request, response) => {
    const status = take(request);
    if (status === 200) forward(request, response);
    else response.writeHead(status).end();
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    const status = take(request);
    sockets.add(socket.on("error", () => {}));
    if (status === 200) sockets.add(openTunnel(request, socket));
    else socket.end(`HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\ncontent-length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${portOf(server)}`,
    requests,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** skopeo tells of the text alone. */
const reasons: Readonly<Record<number, string>> = {
  403: "Forbidden",
  407: "Proxy Authentication Required",
  502: "Bad Gateway",
};

function judge({ credentials }: ForwardProxyOptions, headers: IncomingHttpHeaders): number {
  if (credentials === undefined) return 200;
  const expected = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return headers["proxy-authorization"] === expected ? 200 : 407;
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { port, pathname, search } = new URL(request.url ?? "");
  const { "proxy-authorization": _, ...headers } = request.headers;
  const path = pathname + search;
  const upstream = createRequest({ port, path, method: request.method, headers, agent: false });
  upstream.on("error", () => response.destroy());
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  request.pipe(upstream);
}

function openTunnel({ url = "" }: IncomingMessage, socket: Duplex): Socket {
  const upstream = connect(Number(url.split(":").at(-1)), "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on("error", () => socket.destroy());
  socket.once("close", () => upstream.destroy());
  return upstream;
}
