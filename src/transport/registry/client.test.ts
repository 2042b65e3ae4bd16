import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestBytes } from "../../oci/digest.ts";
import type { RegistryAccess } from "./access.ts";
import { openRegistryClient, type RegistryClient } from "./client.ts";

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

async function serve(handler: Handler, tls?: https.ServerOptions): Promise<Server> {
  const received: Received[] = [];
  const listener: http.RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "", url: path = "", headers } = request;
    const body = Buffer.concat(chunks).toString("utf8");
    const one: Received = { method, path, authorization: headers.authorization, body };
    received.push(one);
    const answer = await handler(one);
    if (answer === undefined) return void request.destroy();
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  ends.push(close);
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, received, close };
}

function open(access: Partial<RegistryAccess> = {}, signal?: AbortSignal): RegistryClient {
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

function mount(client: RegistryClient, { host }: Server): Promise<string> {
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

  it("fetches one token for many requests", async () => {
    const { server, requests } = await serveTokens();
    const client = open({ creds: "user:secret" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => mount(client, server)));
    expect(new Set(answers)).toEqual(new Set(["mounted"]));
    expect(requests().length).toBe(1);
    const [{ path = "", authorization } = {}] = requests();
    expect([...new URL(path, "http://x").searchParams]).toEqual([
      ["x", "y"],
      ["service", "a b"],
      ["scope", "repository:ns/to:pull,push"],
      ["scope", "repository:from:pull"],
      ["account", "user"],
    ]);
    expect(authorization).toBe(`Basic ${Buffer.from("user:secret").toString("base64")}`);
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
    const wanted = "repository:ns/to:*";
    const server: Server = await serve(({ path, authorization }) => {
      if (path.startsWith("/token")) {
        const scopes = new URL(path, "http://x").searchParams.getAll("scope");
        return { status: 200, body: { access_token: scopes.includes(wanted) ? "more" : "less" } };
      }
      if (authorization === "Bearer more") return mounted;
      const scope = authorization === undefined ? "" : `,error="insufficient_scope",scope="${wanted}"`;
      const challenge = `Bearer realm="http://${server.host}/token"${scope}`;
      return { status: 401, headers: { "www-authenticate": challenge } };
    });
    expect(await mount(open(), server)).toBe("mounted");
  });

  it("asks a second time and no more", async () => {
    const challenge = { status: 401, headers: { "www-authenticate": 'Bearer realm="/none"' } };
    const server: Server = await serve(({ path }) =>
      path.startsWith("/token")
        ? { status: 200, body: { token: `t${server.received.length}` } }
        : {
            ...challenge,
            headers: { "www-authenticate": `Bearer realm="http://${server.host}/token"` },
          },
    );
    expect(await mount(open(), server)).toBe("unknown");
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
    expect(most).toBe(8);
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

describe("TLS", () => {
  /** A certificate for 127.0.0.1 that signs itself, and its files. */
  async function createCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
    const [cert, key] = [join(directory, "made.crt"), join(directory, "made.key")];
    const words = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1"];
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    await execa("openssl", [...words, ...names, "-keyout", key, "-out", cert]);
    return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  }

  it("never goes without it unless it is told to", async () => {
    const server = await serve(registry(() => ok));
    for (const tlsVerify of [undefined, true]) {
      const { env, ...access } = { tlsVerify, env: { HOME: directory } };
      const client = openRegistryClient({ ...(access as Partial<RegistryAccess>), env });
      expect(await client.hasBlob(`${server.host}/a`, digest)).toBeUndefined();
      client.close();
    }
    expect(server.received).toEqual([]);
  });
});
