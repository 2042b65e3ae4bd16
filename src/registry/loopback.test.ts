import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { portOf } from "../../test/support/port.ts";
import type { RegistryAccess } from "./access.ts";
import { isLoopback } from "./proxy.ts";
import { withTransfers } from "./transfers.ts";

// A registry at an address of this machine that speaks plain HTTP: any user may listen there.

let home: string;
let server: Server;
let host: string;
/** What was asked, each with the Authorization that it had. */
let asked: readonly string[];
/** What the registry and its token server want to see. */
let challenge: "none" | "basic" | "bearer" | "bearer for nobody";

const names = ["localhost", "127.0.0.1"] as const;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "xbuild-loopback-"));
  await mkdir(join(home, ".config/containers"), { recursive: true });
  await writeConf("");
  asked = [];
  challenge = "none";
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${portOf(server)}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true, force: true });
});

function writeConf(text: string): Promise<void> {
  return writeFile(join(home, ".config/containers/registries.conf"), text);
}

function answer({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
  const { authorization = "nobody" } = headers;
  asked = [...asked, `${url} ${authorization}`];
  if (url.startsWith("/token")) {
    response.statusCode = challenge === "bearer" || authorization !== "nobody" ? 200 : 401;
    response.end('{"token":"t"}');
    return;
  }
  const isIn = challenge === "none" || authorization !== "nobody";
  response.statusCode = isIn ? 200 : 401;
  const scheme = challenge === "basic" ? "Basic" : "Bearer";
  const header = `${scheme} realm="http://${host}/token"`;
  if (challenge !== "none") response.setHeader("www-authenticate", header);
  response.end("{}");
}

const own = "user:secret";

async function read(access: Partial<RegistryAccess> = {}, registry = host): Promise<string> {
  const all = { retries: 0, ...access, env: { HOME: home } };
  const bytes = await withTransfers(all, new AbortController().signal, (transfers) =>
    transfers.readManifest(`${registry}/app`, "latest"),
  );
  return Buffer.from(bytes ?? []).toString("utf8");
}

test.each(names)("%s is asked over plain HTTP, by nobody", async (name) => {
  const registry = host.replace("127.0.0.1", name);
  expect(await read({}, registry)).toBe("{}");
  expect(await read({ creds: own }, registry)).toBe("{}");
  expect(asked.filter((one) => !one.endsWith(" nobody"))).toEqual([]);
});

it("gives tokens to nobody, too", async () => {
  challenge = "bearer";
  expect(await read({ creds: own })).toBe("{}");
  expect(asked.at(-1)).toBe("/v2/app/manifests/latest Bearer t");
  expect(asked.filter((one) => one.includes("/token") && !one.endsWith(" nobody"))).toEqual([]);
});

describe("where it asks who is there", () => {
  const wanted = ["basic", "bearer for nobody"] as const;

  it.each(wanted)("(%s) shows no credentials, and says so", async (scheme) => {
    challenge = scheme;
    const error = expect.objectContaining({
      code: "registry-plain-http",
      message: expect.stringContaining(host),
      hint: expect.stringMatching(/--tls-verify=false.*insecure = true.*registries\.conf/),
    });
    await expect(read({ creds: own })).rejects.toEqual(error);
    const auth = Buffer.from(own).toString("base64");
    const authFile = join(home, "auth.json");
    await writeFile(authFile, JSON.stringify({ auths: { [host]: { auth } } }));
    await expect(read({ authFile })).rejects.toEqual(error);
    expect(asked.filter((one) => !one.endsWith(" nobody"))).toEqual([]);
  });

  it.each(wanted)("(%s) is denied where there are none", async (scheme) => {
    challenge = scheme;
    await expect(read()).rejects.toMatchObject({ code: "registry-denied" });
  });

  it.each(wanted)("(%s) shows them where somebody says that it may", async (scheme) => {
    challenge = scheme;
    expect(await read({ creds: own, tlsVerify: false })).toBe("{}");
    await writeConf(`[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
    expect(await read({ creds: own })).toBe("{}");
  });
});

it("is not asked at all where TLS is insisted on", async () => {
  await expect(read({ tlsVerify: true })).rejects.toMatchObject({ code: "registry-tls" });
  expect(asked).toEqual([]);
});

it("leads nowhere else without TLS", async () => {
  server
    .removeAllListeners("request")
    .on("request", ({ url = "" }: IncomingMessage, response: ServerResponse) => {
      const isManifest = url.includes("/manifests/");
      response.writeHead(isManifest ? 307 : 200, { location: "http://registry.test/v2/" }).end();
    });
  await expect(read()).rejects.toMatchObject({ code: "registry-tls" });
});

test.each([
  ["https://localhost:5000", true],
  ["https://127.1.2.3", true],
  ["https://[::1]:5000", true],
  ["https://128.0.0.1", false],
  ["https://localhost.example:5000", false],
  ["https://[::2]", false],
])("%s is this machine: %s", (url, expected) => {
  expect(isLoopback(new URL(url))).toBe(expected);
});
