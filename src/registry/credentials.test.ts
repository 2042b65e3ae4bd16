import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Credentials, RegistryAccess } from "./access.ts";
import { findCredentials } from "./credentials.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-credentials-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function write(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** An auth file with the password `secret` for each key's user. */
function auths(users: Readonly<Record<string, string>>): { readonly auths: object } {
  const entries = Object.entries(users).map(([key, user]) => [
    key,
    { auth: Buffer.from(`${user}:secret`).toString("base64") },
  ]);
  return { auths: Object.fromEntries(entries) };
}

type Options = Partial<RegistryAccess> & { readonly helpers?: readonly string[] };

async function find(
  name: string,
  { env, helpers, ...access }: Options = {},
): Promise<Credentials | undefined> {
  const [registry = "", ...path] = name.split("/");
  const home = { HOME: join(directory, "home"), PATH: join(directory, "bin") };
  return findCredentials(
    { registry, repository: path.join("/") },
    { ...access, env: { ...home, ...env } },
    { root: directory, ...(helpers === undefined ? {} : { helpers }) },
  );
}

const known = (username: string): Credentials => ({ username, password: "secret" });

describe("findCredentials", () => {
  it.each([
    ["user:pass:word", { username: "user", password: "pass:word" }],
    ["user", { username: "user", password: "" }],
  ])("takes --creds %s", async (creds, expected) => {
    await write("auth.json", auths({ "a.example": "file" }));
    const access = { creds, authFile: join(directory, "auth.json") };
    expect(await find("a.example/b", access)).toEqual(expected);
  });

  const uid = String(process.getuid?.());
  const places = [
    "chosen.json",
    "runtime/containers/auth.json",
    "config/containers/auth.json",
    "docker/config.json",
  ] as const;

  it.each(places.map((place, index) => [place, places.slice(index)] as const))(
    "finds %s first",
    async (place, all) => {
      for (const name of all) await write(name, auths({ "a.example": name }));
      const env = {
        XDG_RUNTIME_DIR: join(directory, "runtime"),
        XDG_CONFIG_HOME: join(directory, "config"),
        DOCKER_CONFIG: join(directory, "docker"),
        ...(place === "chosen.json" ? { REGISTRY_AUTH_FILE: join(directory, place) } : {}),
      };
      expect(await find("a.example/b", { env })).toEqual(known(place));
    },
  );

  it.each([`run/containers/${uid}/auth.json`, "home/.config/containers/auth.json"])(
    "finds %s without the variables",
    async (place) => {
      await write(place, auths({ "a.example": "user" }));
      await write("home/.docker/config.json", auths({ "a.example": "docker" }));
      expect(await find("a.example/b")).toEqual(known("user"));
    },
  );

  it("reads no other file than the one that is named", async () => {
    await write("home/.docker/config.json", auths({ "a.example": "docker" }));
    const missing = join(directory, "missing.json");
    expect(await find("a.example/b")).toEqual(known("docker"));
    expect(await find("a.example/b", { authFile: missing })).toBeUndefined();
    expect(await find("a.example/b", { env: { REGISTRY_AUTH_FILE: missing } })).toBeUndefined();
    const env = { REGISTRY_AUTH_FILE: missing };
    const authFile = join(directory, "home/.docker/config.json");
    expect(await find("a.example/b", { env, authFile })).toEqual(known("docker"));
  });

  it("goes on where a file knows nothing", async () => {
    await write(`run/containers/${uid}/auth.json`, { auths: null });
    await write("home/.config/containers/auth.json", { auths: { "a.example": {} } });
    await write("home/.docker/config.json", auths({ "a.example": "docker" }));
    expect(await find("a.example/b")).toEqual(known("docker"));
  });

  it.each([
    ["JSON", "{"],
    ["a type", { auths: [] }],
    ["base64", { auths: { "a.example": { auth: "user:secret" } } }],
  ])("shows nothing where a file is broken, as skopeo does: %s", async (_, content) => {
    await write(`run/containers/${uid}/auth.json`, content);
    await write("home/.docker/config.json", auths({ "a.example": "docker" }));
    await expect(find("a.example/b")).rejects.toThrow("broken");
  });

  it("reads Docker's oldest form last", async () => {
    const { auths: all } = auths({ "https://a.example/v1/": "oldest", "b.example/ns": "ns" });
    await write("home/.dockercfg", all);
    expect(await find("a.example/ns/b")).toEqual(known("oldest"));
    expect(await find("b.example/b")).toEqual(known("ns"));
    await write("home/.docker/config.json", auths({ "a.example": "docker" }));
    expect(await find("a.example/ns/b")).toEqual(known("docker"));
  });

  it.each([
    ["a.example/ns/repo", "repo"],
    ["a.example/ns/other", "ns"],
    ["a.example/nsx", "host"],
    ["a.example:5000/ns", undefined],
    ["docker.io/library/debian", "hub"],
    ["old.example/a", "address"],
    ["b.example/a", undefined],
  ])("for %s it is %s", async (name, user) => {
    const authFile = await write("auth.json", {
      ...auths({
        "a.example": "host",
        "a.example/ns": "ns",
        "a.example/ns/repo": "repo",
        "https://index.docker.io/v1/": "hub",
        "https://old.example/v2/": "address",
      }),
    });
    expect(await find(name, { authFile })).toEqual(user === undefined ? undefined : known(user));
  });

  it("knows identity tokens", async () => {
    const auth = Buffer.from("00000000-0000-0000-0000-000000000000:").toString("base64");
    const authFile = await write("auth.json", {
      auths: { "a.example": { auth, identitytoken: "refresh" } },
    });
    expect(await find("a.example/b", { authFile })).toEqual({ identityToken: "refresh" });
  });
});

/** A helper that knows the user of some servers, and keeps what it is asked. */
async function installHelper(users: Readonly<Record<string, string>>): Promise<void> {
  const cases = Object.entries(users)
    .map(([server, user]) => `${server}) echo '{"Username":"${user}","Secret":"secret"}';;`)
    .join("\n");
  const script = `#!/bin/sh
read -r server || :
echo "$* $server" >>${join(directory, "asked")}
case $server in
${cases}
*) echo 'credentials not found in native keychain'; exit 1;;
esac
`;
  await chmod(await write("bin/docker-credential-x", script), 0o755);
}

describe("credential helpers", () => {
  it("are asked for the registries that name them, before the file's own entries", async () => {
    await installHelper({ "a.example": "helped" });
    const authFile = await write("auth.json", {
      ...auths({ "a.example": "file", "b.example": "file" }),
      credHelpers: { "a.example": "x", "c.example": "x", "d.example": "missing" },
    });
    expect(await find("a.example/ns/b", { authFile })).toEqual(known("helped"));
    expect(await find("b.example/b", { authFile })).toEqual(known("file"));
    expect(await find("c.example/b", { authFile })).toBeUndefined();
    await expect(find("d.example/b", { authFile })).rejects.toThrow("broken");
    expect(await readFile(join(directory, "asked"), "utf8")).toBe("get a.example\nget c.example\n");
  });

  it("give identity tokens", async () => {
    await installHelper({ "a.example": "<token>" });
    const authFile = await write("auth.json", { credHelpers: { "a.example": "x" } });
    expect(await find("a.example/b", { authFile })).toEqual({ identityToken: "secret" });
  });

  it("stand behind a file's entries as credsStore", async () => {
    await installHelper({ "a.example": "stored", "https://index.docker.io/v1/": "hub" });
    const authFile = await write("auth.json", {
      ...auths({ "b.example": "file" }),
      credsStore: "x",
    });
    expect(await find("a.example/b", { authFile })).toEqual(known("stored"));
    expect(await find("b.example/b", { authFile })).toEqual(known("file"));
    expect(await find("docker.io/library/a", { authFile })).toEqual(known("hub"));
  });

  it("are asked in the order of registries.conf", async () => {
    await installHelper({ "a.example": "helped" });
    const authFile = await write("auth.json", auths({ "a.example": "file", "b.example": "file" }));
    const helpers = ["x", "containers-auth.json"];
    expect(await find("a.example/b", { authFile, helpers })).toEqual(known("helped"));
    expect(await find("b.example/b", { authFile, helpers })).toEqual(known("file"));
    const reversed = helpers.toReversed();
    expect(await find("a.example/b", { authFile, helpers: reversed })).toEqual(known("file"));
  });
});
