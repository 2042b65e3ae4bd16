import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portOf } from "../../test/support/port.ts";
import { openRegistryClient, type OwnClient } from "../../test/support/registry-client.ts";
import { digestBytes } from "../oci/digest.ts";
import type { RegistryAccess } from "./access.ts";

interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Server {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly received: readonly Received[];
  readonly close: () => Promise<void>;
}

/** undefined: the connection is cut. */
type Handler = (request: Received) => Answer | undefined | Promise<Answer | undefined>;

const ends: (() => unknown)[] = [];
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-client-"));
  // Keeps the machine's own configuration out.
  await configure("");
});

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

async function configure(registriesConf: string): Promise<void> {
  const config = join(directory, ".config/containers");
  await mkdir(config, { recursive: true });
  await writeFile(join(config, "registries.conf"), registriesConf);
}

async function serve(handler: Handler): Promise<Server> {
  const received: Received[] = [];
  const listener = async (
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> => {
    const { method = "", url: path = "", headers } = request;
    const body = await text(request);
    const one: Received = { method, path, authorization: headers.authorization, body };
    received.push(one);
    const answer = await handler(one);
    if (answer === undefined) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  };
  const server = http.createServer((request, response) => void listener(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  ends.push(close);
  return { host: `127.0.0.1:${portOf(server)}`, received, close };
}

function open(access: Partial<RegistryAccess> = {}, signal?: AbortSignal): OwnClient {
  const client = openRegistryClient(
    { tlsVerify: false, ...access, env: { HOME: directory, XDG_RUNTIME_DIR: directory } },
    signal,
  );
  ends.push(() => client.close());
  return client;
}

const digest = digestBytes(Buffer.from("blob"));
const mounted: Answer = { status: 201 };
const ok: Answer = { status: 200 };

function mount(client: OwnClient, { host }: Server): Promise<string> {
  return client.mountBlob({ to: `${host}/ns/to`, from: `${host}/from`, digest });
}

/** Answers /v2/ and all else as it says. */
function registry(answer: Handler, ping: Answer = ok): Handler {
  return (request) => (request.path === "/v2/" ? ping : answer(request));
}

function paths(server: Server): readonly string[] {
  return server.received.map(({ method, path }) => `${method} ${path}`);
}

const mountPath = `/v2/ns/to/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=from`;

describe("mountBlob", () => {
  it("asks for the mount as the specification says", async () => {
    const server = await serve(registry(() => mounted));
    expect(await mount(open(), server)).toBe("mounted");
    expect(paths(server)).toEqual(["GET /v2/", `POST ${mountPath}`]);
  });

  it.each(["/v2/ns/to/blobs/uploads/1?state=x", "http://HOST/v2/ns/to/blobs/uploads/1?state=x"])(
    "cancels the upload that begins in its place, %s",
    async (location) => {
      const server: Server = await serve(
        registry(({ method }) =>
          method === "DELETE"
            ? { status: 204 }
            : { status: 202, headers: { location: location.replace("HOST", server.host) } },
        ),
      );
      expect(await mount(open(), server)).toBe("declined");
      expect(paths(server).at(-1)).toBe("DELETE /v2/ns/to/blobs/uploads/1?state=x");
    },
  );

  it("leaves an upload elsewhere alone", async () => {
    const other = await serve(() => ok);
    const location = `http://${other.host}/upload`;
    const server = await serve(registry(() => ({ status: 202, headers: { location } })));
    expect(await mount(open({ creds: "user:secret" }), server)).toBe("declined");
    expect(other.received).toEqual([]);
  });

  it.each([200, 400, 401, 403, 404, 405])("says of %i that it does not know", async (status) => {
    const server = await serve(registry(() => ({ status })));
    expect(await mount(open(), server)).toBe("unknown");
  });

  it("does not know of other registries' blobs", async () => {
    const server = await serve(registry(() => mounted));
    const from = "localhost:1/from";
    expect(await open().mountBlob({ to: `${server.host}/to`, from, digest })).toBe("unknown");
    expect(server.received).toEqual([]);
  });
});

describe("hasBlob", () => {
  it.each([
    [200, true],
    [404, false],
    [401, undefined],
    [403, undefined],
  ])("says of %i that it is %s", async (status, expected) => {
    const server = await serve(registry(() => ({ status })));
    expect(await open().hasBlob(`${server.host}/a/b`, digest)).toBe(expected);
    expect(paths(server)).toEqual(["GET /v2/", `HEAD /v2/a/b/blobs/${digest}`]);
  });

  it("follows redirects, and keeps credentials from other servers", async () => {
    const storage = await serve(() => ok);
    const location = `http://${storage.host}/storage`;
    const basic = { status: 401, headers: { "www-authenticate": "Basic" } };
    const server = await serve(registry(() => ({ status: 307, headers: { location } }), basic));
    expect(await open({ creds: "a:b" }).hasBlob(`${server.host}/a`, digest)).toBe(true);
    expect(server.received.at(-1)?.authorization).toMatch(/^Basic /);
    expect(storage.received).toMatchObject([{ method: "HEAD", authorization: undefined }]);
  });

  it("asks where registries.conf says, for a pull, without --creds", async () => {
    const basic = { status: 401, headers: { "www-authenticate": "Basic" } };
    const [named, actual] = [
      await serve(registry(() => ({ status: 404 }), basic)),
      await serve(registry(() => ok, basic)),
    ];
    await configure(`[[registry]]\nprefix = "${named.host}/a"\nlocation = "${actual.host}/x/y"`);
    const client = open({ creds: "a:b" });
    expect(await client.hasBlob(`${named.host}/a/b`, digest, "pull")).toBe(true);
    expect(actual.received.at(-1)).toMatchObject({ path: `/v2/x/y/b/blobs/${digest}` });
    expect(actual.received.map(({ authorization }) => authorization)).toEqual(
      actual.received.map(() => undefined),
    );
    expect(await client.hasBlob(`${named.host}/a/b`, digest)).toBe(false);
    expect(named.received.at(-1)?.authorization).toMatch(/^Basic /);
  });

  it("asks nobody about what is blocked", async () => {
    const server = await serve(registry(() => ok));
    await configure(`[[registry]]\nlocation = "${server.host}/a"\nblocked = true`);
    const client = open();
    expect(await client.hasBlob(`${server.host}/a/b`, digest)).toBeUndefined();
    expect(await client.hasBlob(`${server.host}/b`, digest)).toBe(true);
    expect(server.received.length).toBe(2);
  });
});

/** A registry that takes the last token that it has given out. `accept` says how to give one. */
async function serveTokens(accept: (request: Received) => boolean = () => true): Promise<{
  readonly server: Server;
  readonly expire: () => void;
  readonly requests: () => readonly Received[];
}> {
  let count = 0;
  let valid = 0;
  const server: Server = await serve((request) => {
    if (request.path.startsWith("/token")) {
      if (!accept(request)) return { status: 401 };
      count += 1;
      valid = count;
      return { status: 200, body: { token: `t${count}`, expires_in: 300 } };
    }
    if (request.authorization === `Bearer t${valid}`) return mounted;
    const challenge = `Bearer realm="http://${server.host}/token?x=y",service="a b"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  });
  return {
    server,
    expire: () => (valid = -1),
    requests: () => server.received.filter(({ path }) => path.startsWith("/token")),
  };
}

describe("identification", () => {
  it("shows user and password", async () => {
    const expected = `Basic ${Buffer.from("user:se:cret").toString("base64")}`;
    const unauthorized = { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
    const server = await serve(({ authorization }) =>
      authorization === expected ? mounted : unauthorized,
    );
    expect(await mount(open({ creds: "user:se:cret" }), server)).toBe("mounted");
    expect(await mount(open({ creds: "user:wrong" }), server)).toBe("unknown");
    expect(await mount(open(), server)).toBe("unknown");
  });

  it("fetches one token for many requests", async () => {
    const { server, requests } = await serveTokens();
    const client = open({ creds: "user:secret" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => mount(client, server)));
    expect(new Set(answers)).toEqual(new Set(["mounted"]));
    expect(requests().length).toBe(1);
    const asked = requests()[0];
    expect([...new URL(asked?.path ?? "", "http://x").searchParams]).toEqual([
      ["x", "y"],
      ["service", "a b"],
      ["scope", "repository:ns/to:pull,push"],
      ["scope", "repository:from:pull"],
      ["account", "user"],
    ]);
    const expected = `Basic ${Buffer.from("user:secret").toString("base64")}`;
    expect(asked?.authorization).toBe(expected);
  });

  it("fetches one token in place of one that has expired", async () => {
    const { server, expire, requests } = await serveTokens();
    const client = open();
    expect(await mount(client, server)).toBe("mounted");
    expire();
    const answers = await Promise.all(Array.from({ length: 8 }, () => mount(client, server)));
    expect(new Set(answers)).toEqual(new Set(["mounted"]));
    expect(requests().length).toBe(2);
    expect(requests()[0]?.authorization).toBeUndefined();
  });

  it("asks a token server that refuses once", async () => {
    const { server, requests } = await serveTokens(() => false);
    const client = open({ creds: "user:wrong" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => mount(client, server)));
    expect(new Set(answers)).toEqual(new Set(["unknown"]));
    expect(requests().length).toBe(1);
  });

  it("gives an identity token for a token", async () => {
    const { server, requests } = await serveTokens(({ method }) => method === "POST");
    const auth = Buffer.from("user:").toString("base64");
    const auths = { [server.host]: { auth, identitytoken: "refresh me" } };
    await mkdir(join(directory, "containers"));
    await writeFile(join(directory, "containers/auth.json"), JSON.stringify({ auths }));
    expect(await mount(open(), server)).toBe("mounted");
    expect(Object.fromEntries(new URLSearchParams(requests()[0]?.body))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "refresh me",
      client_id: "xbuild",
      service: "a b",
      scope: "repository:ns/to:pull,push repository:from:pull",
    });
  });

  it("asks for what the registry wants beyond its own guess", async () => {
    const [wanted, granted] = ["repository:ns/to:*", "repository:ns/to:*,pull,push"];
    const server: Server = await serve(({ path, authorization }) => {
      if (path.startsWith("/token")) {
        const isMore = new URL(path, "http://x").searchParams.getAll("scope").includes(granted);
        return { status: 200, body: { access_token: isMore ? "more" : "less" } };
      }
      if (authorization === "Bearer more") return mounted;
      const scope =
        authorization === undefined ? "" : `,error="insufficient_scope",scope="${wanted}"`;
      const challenge = `Bearer realm="http://${server.host}/token"${scope}`;
      return { status: 401, headers: { "www-authenticate": challenge } };
    });
    const client = open();
    for (let turn = 0; turn < 3; turn += 1) expect(await mount(client, server)).toBe("mounted");
    const tokens = paths(server).filter((path) => path.startsWith("GET /token"));
    expect(tokens.length).toBe(2);
  });

  it("takes a challenge in another order for the same", async () => {
    let count = 0;
    const server: Server = await serve(({ path, authorization }) => {
      if (path.startsWith("/token")) {
        count += 1;
        return { status: 200, body: { token: `t${count}` } };
      }
      const scope = 'scope="repository:from:pull repository:ns/to:push,pull"';
      const challenge = `Bearer realm="http://${server.host}/token",${scope}`;
      // Each token is good for one request.
      const isFresh = authorization === `Bearer t${count}` && !used.has(authorization);
      if (authorization !== undefined) used.add(authorization);
      return isFresh ? mounted : { status: 401, headers: { "www-authenticate": challenge } };
    });
    const used = new Set<string>();
    const client = open();
    for (let turn = 1; turn <= 4; turn += 1) {
      expect(await mount(client, server)).toBe("mounted");
      expect(count).toBe(turn);
    }
  });

  it("asks a second time and no more", async () => {
    const server: Server = await serve(({ path }) => {
      const challenge = `Bearer realm="http://${server.host}/token"`;
      return path.startsWith("/token")
        ? { status: 200, body: { token: `t${server.received.length}` } }
        : { status: 401, headers: { "www-authenticate": challenge } };
    });
    const client = open();
    for (let turn = 0; turn < 4; turn += 1) expect(await mount(client, server)).toBe("unknown");
    expect(paths(server).filter((path) => path.startsWith("POST")).length).toBe(2);
  });
});

describe("patience", () => {
  it.each([429, 500, 503])("asks again after %i", async (status) => {
    let count = 0;
    const server = await serve(
      registry(() => {
        count += 1;
        return count < 4 ? { status, headers: { "retry-after": "0" } } : mounted;
      }),
    );
    expect(await mount(open(), server)).toBe("mounted");
    expect(count).toBe(4);
  });

  it("ends after the third time, and gives a registry up that never answers", async () => {
    const busy = { status: 503, headers: { "retry-after": new Date().toUTCString() } };
    const server = await serve(registry(() => busy));
    const client = open();
    expect(await mount(client, server)).toBe("unknown");
    expect(server.received.length).toBe(5);
    for (let count = 0; count < 20; count += 1) {
      expect(await mount(client, server)).toBe("unknown");
    }
    expect(server.received.length).toBe(1 + 3 * 4);
  });

  it("asks again as often as it is told to", async () => {
    const busy = { status: 503, headers: { "retry-after": "0" } };
    const server = await serve(registry(() => busy));
    expect(await mount(open({ retries: 1 }), server)).toBe("unknown");
    expect(server.received.length).toBe(1 + 2);
    expect(await mount(open({ retries: 0 }), server)).toBe("unknown");
    expect(server.received.length).toBe(3 + 1 + 1);
  });

  // The bound is for a client that waits as long as it likes.
  it("waits as long as it is told to", { timeout: 20_000 }, async () => {
    const server = await serve(() => new Promise(() => {}));
    const client = open({ timeout: 100 });
    expect(await client.hasBlob(`${server.host}/a`, digest, "pull")).toBeUndefined();
    expect(paths(server)).toEqual(["GET /v2/"]);
  });

  it("knows nothing where the registry is gone or cuts the connection", async () => {
    const server = await serve(registry(() => undefined));
    expect(await open().hasBlob(`${server.host}/a`, digest)).toBeUndefined();
    await server.close();
    expect(await open().hasBlob(`${server.host}/a`, digest)).toBeUndefined();
  });

  it("asks no more than eight things at once", async () => {
    let [running, most] = [0, 0];
    const server = await serve(
      registry(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return ok;
      }),
    );
    const client = open();
    const asked = Array.from({ length: 100 }, () => client.hasBlob(`${server.host}/a`, digest));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([true]));
    expect(most).toBeLessThanOrEqual(8);
    expect(most).toBeGreaterThan(1);
  });

  it("answers what is open when it is closed, and rejects when it is stopped", async () => {
    const server = await serve(registry(() => new Promise(() => {})));
    const client = open();
    const asked = Array.from({ length: 20 }, () => mount(client, server));
    await expect.poll(() => server.received.length).toBe(9);
    client.close();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["unknown"]));
    expect(await mount(client, server)).toBe("unknown");
    const stop = new AbortController();
    const stopped = open({}, stop.signal).hasBlob(`${server.host}/a`, digest);
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
  });
});
