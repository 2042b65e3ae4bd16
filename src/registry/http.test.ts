import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { afterEach, expect, it } from "vitest";
import { portOf } from "../../test/support/port.ts";
import { openHttp, type HttpOptions, type Send } from "./http.ts";

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0).toReversed()) end();
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${portOf(server)}/`);
}

function open(options: Partial<HttpOptions> = {}): Send {
  const stop = new AbortController();
  ends.push(() => stop.abort());
  const opened = openHttp({
    certificates: { ca: [], cert: [], key: [] },
    insecure: true,
    env: {},
    timeout: 30_000,
    signal: stop.signal,
    ...options,
  });
  return async (request) => (await opened)(request);
}

it("waits for an answer as long as it is told to", async () => {
  const silent = await serve(() => {});
  const endless = await serve((_, response) => void response.write("begun"));
  const send = open({ timeout: 100 });
  await expect(send({ method: "GET", url: silent })).rejects.toThrow("timed out");
  await expect(send({ method: "GET", url: endless })).rejects.toThrow("timed out");
});

it("follows no redirect out of TLS, and none without an end", async () => {
  const url = await serve((_, response) => void response.writeHead(302, { location: "/" }).end());
  expect((await open()({ method: "GET", url })).status).toBe(302);
  await expect(open({ insecure: false })({ method: "GET", url })).rejects.toThrow("not over TLS");
});

it("asks again where a connection is closed that was to be used again", async () => {
  let count = 0;
  const url = await serve((request, response) => {
    count += 1;
    // The connection of the first request is reset at the second.
    if (count === 2) request.socket.resetAndDestroy();
    else response.end();
  });
  const send = open();
  await send({ method: "GET", url });
  expect((await send({ method: "GET", url })).status).toBe(200);
  expect(count).toBe(3);
});

it.each(["HEAD", "GET"] as const)(
  "asks with %s again and again on few connections",
  async (method) => {
    const sockets = new Set<unknown>();
    const url = await serve((request, response) => {
      sockets.add(request.socket);
      response.end();
    });
    const send = open();
    for (let count = 0; count < 20; count++) await send({ method, url });
    expect(sockets.size).toBe(1);
  },
);

it("reads no more of an answer than it needs", async () => {
  const url = await serve((_, response) => void response.end("x".repeat(3 * 1024 * 1024)));
  expect((await open()({ method: "GET", url })).body.length).toBe(1024 * 1024);
});

it("gives up an answer that is no answer", async () => {
  const url = await serve((request) => {
    const lines = ["HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: x", "", ""];
    request.socket.write(lines.join("\r\n"));
  });
  await expect(open()({ method: "GET", url })).rejects.toThrow("bad upgrade");
});

it("takes no answer with more headers than anybody reads", async () => {
  const long = Object.fromEntries([...Array(20).keys()].map((at) => [`x-${at}`, "x".repeat(1000)]));
  const url = await serve((_, response) => void response.writeHead(200, long).end());
  await expect(open()({ method: "GET", url })).rejects.toThrow("Headers Overflow");
});

it("reads headers of any name, and of several that have one the first", async () => {
  const lines = ["HTTP/1.1 200 OK", "content-length: 0", "__proto__: a", "__proto__: b"];
  const twice = ["location: /a", "location: /b", "www-authenticate: A", "www-authenticate: B"];
  const url = await serve((request) => {
    request.socket.write([...lines, ...twice, "", ""].join("\r\n"));
  });
  const { headers } = await open()({ method: "GET", url });
  expect(headers).toMatchObject({ location: "/a", "www-authenticate": "A, B" });
});

it("ends with its signal", async () => {
  const stop = new AbortController();
  const silent = await serve(() => stop.abort(new Error("stopped")));
  const send = open({ signal: stop.signal });
  for (let turn = 0; turn < 2; turn += 1) {
    await expect(send({ method: "GET", url: silent })).rejects.toThrow("stopped");
  }
});
