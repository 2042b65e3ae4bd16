import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startForwardProxy, type ForwardProxyOptions } from "../../test/support/forward-proxy.ts";
import { portOf } from "../../test/support/port.ts";
import { createCertificates, type Certificates } from "../../test/support/registry-certificates.ts";
import type { Environment } from "./access.ts";
import { openHttp, type Send } from "./http.ts";

// No name server knows registry.test, so what answers was reached through the proxy, which takes all for this machine.

const ends: (() => unknown)[] = [];
let directory: string;
let certificates: Certificates;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-connections-"));
  certificates = await createCertificates(directory);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return portOf(server);
}

/** A server that says what it was asked, and with which headers. */
function echo(scheme: "http" | "https"): Promise<number> {
  const server = scheme === "http" ? http.createServer() : https.createServer(certificates);
  server.on("request", ({ method, url, headers }, response) => {
    response.end(JSON.stringify({ method, url, ...headers }));
  });
  return listen(server);
}

async function startProxy(options: ForwardProxyOptions = {}): ReturnType<typeof startForwardProxy> {
  const proxy = await startForwardProxy(options);
  ends.push(proxy.stop);
  return proxy;
}

async function open(proxy: string, env: Environment = {}, timeout = 30_000): Promise<Send> {
  const stop = new AbortController();
  ends.push(() => stop.abort());
  return openHttp({
    certificates: { ca: [await readFile(certificates.caFile, "utf8")], cert: [], key: [] },
    insecure: true,
    env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ...env },
    timeout,
    signal: stop.signal,
  });
}

function ask(send: Send, url: string): ReturnType<Send> {
  const headers = { authorization: "Basic registry" };
  return send({ method: "GET", url: new URL(url), headers });
}

describe.each(["http", "https"] as const)("%s through a proxy", (scheme) => {
  it("shows each only what is for it", async () => {
    const port = await echo(scheme);
    const { url, requests } = await startProxy({ credentials: "us er:p@ss" });
    const send = await open(url.replace("//", "//us%20er:p%40ss@"));
    const address = `${scheme}://registry.test:${port}/v2/?a=b`;
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, body } = await ask(send, address);
      expect(status).toBe(200);
      const received: unknown = JSON.parse(body.toString());
      expect(received).toMatchObject({ url: "/v2/?a=b", host: `registry.test:${port}` });
      expect(received).toMatchObject({ authorization: "Basic registry" });
      expect(received).not.toHaveProperty("proxy-authorization");
    }
    const asked = requests.map(({ method, target, headers }) => [
      method,
      target,
      headers.authorization,
    ]);
    const plain = ["GET", address, "Basic registry"];
    const tunnel = ["CONNECT", `registry.test:${port}`, undefined];
    // One tunnel is good for all requests.
    expect(asked).toEqual(scheme === "http" ? [plain, plain] : [tunnel]);
  });

  it("goes past it where NO_PROXY says so", async () => {
    const port = await echo(scheme);
    const { url, requests } = await startProxy();
    const address = `${scheme}://0.0.0.0:${port}/`;
    expect((await ask(await open(url), address)).status).toBe(200);
    expect(requests.length).toBe(1);
    const send = await open(url, { NO_PROXY: "0.0.0.0/8" });
    expect((await ask(send, address)).status).toBe(200);
    expect((await ask(await open(url), address.replace("0.0.0.0", "localhost"))).status).toBe(200);
    expect(requests.length).toBe(1);
  });

  it("asks nothing through a proxy that does not speak HTTP", async () => {
    const send = await open("socks5://127.0.0.1:1");
    await expect(ask(send, `${scheme}://registry.test/`)).rejects.toThrow("not HTTP");
  });

  it("asks through a proxy that speaks TLS", async () => {
    const port = await echo(scheme);
    const { url, requests } = await startProxy({ tls: certificates });
    const { status } = await ask(await open(url), `${scheme}://registry.test:${port}/`);
    expect([status, requests.length]).toEqual([200, 1]);
  });
});

/** A proxy that does this with each connection. @returns its address, and how many came */
async function startBadProxy(
  handle: (socket: Socket) => void,
): Promise<{ readonly url: string; readonly count: () => number }> {
  let count = 0;
  const server = createTcpServer((socket) => {
    count += 1;
    socket.once("data", () => handle(socket));
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, count: () => count };
}

describe("a proxy that is no good", () => {
  const address = "https://registry.test:5000/";

  it.each([403, 407, 502])("answers %i", async (status) => {
    const { url, requests } = await startProxy({ status });
    await expect(ask(await open(url), address)).rejects.toThrow(`the proxy answers ${status}`);
    expect(requests.length).toBe(1);
    expect(await ask(await open(url), "http://registry.test/")).toMatchObject({ status });
  });

  it("closes its connections: it is asked once", async () => {
    const { url, count } = await startBadProxy((socket) => void socket.end());
    await expect(ask(await open(url), address)).rejects.toThrow("the proxy does not answer");
    expect(count()).toBe(1);
  });

  it("says nothing, or never comes to an end", async () => {
    const silent = await startBadProxy(() => {});
    await expect(ask(await open(silent.url, {}, 100), address)).rejects.toThrow("timed out");
    const endless = await startBadProxy((socket) => {
      const timer = setInterval(() => socket.write("x"), 5);
      socket.write("HTTP/1.1 200 OK\r\nx: ");
      socket.once("close", () => clearInterval(timer));
    });
    await expect(ask(await open(endless.url, {}, 100), address)).rejects.toThrow("timed out");
  });

  it("sends more headers than anybody reads", async () => {
    const long = `HTTP/1.1 200 OK\r\nx: ${"x".repeat(20_000)}\r\n\r\n`;
    const { url } = await startBadProxy((socket) => void socket.write(long));
    await expect(ask(await open(url), address)).rejects.toThrow("the proxy does not answer");
  });

  it("is not there", async () => {
    const { url, stop } = await startForwardProxy();
    await stop();
    await expect(ask(await open(url), address)).rejects.toThrow("the proxy does not answer");
  });
});
