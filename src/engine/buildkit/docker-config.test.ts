import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeDockerConfig } from "./docker-config.ts";

const hub = "https://index.docker.io/v1/";

interface Home {
  readonly own: string;
  readonly authFile: string;
  readonly write: (
    flags: readonly string[],
    env?: NodeJS.ProcessEnv,
  ) => Promise<Readonly<Record<string, string>>>;
}

function createHome(config: unknown, authFile: unknown = {}): Home {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const own = join(directory, "own");
  mkdirSync(own);
  writeFileSync(join(own, "config.json"), JSON.stringify(config));
  writeFileSync(join(directory, "auth.json"), JSON.stringify(authFile));
  const hosts = ["registry.example", undefined];
  return {
    own,
    authFile: join(directory, "auth.json"),
    write: (flags, env = {}) =>
      writeDockerConfig({ flags, hosts }, directory, { DOCKER_CONFIG: own, ...env }),
  };
}

function read(env: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(
    readFileSync(join(env["DOCKER_CONFIG"] ?? "", "config.json"), "utf8"),
  );
  return Object.fromEntries(Object.entries(value ?? {}));
}

describe("Docker's configuration for a call", () => {
  it("is the user's own where nothing was said", async () => {
    expect(await createHome({}).write(["--retry=3"])).toEqual({});
  });

  it("has an auth file's credentials before the user's own, and all else as it was", async () => {
    const own = {
      auths: { "a.example": { auth: "old" }, "b.example": { auth: "b" } },
      credHelpers: { "a.example": "old", "c.example": "c" },
      credsStore: "store",
      currentContext: "far",
      proxies: { default: { httpProxy: "http://p" } },
      cliPluginsExtraDirs: ["/plugins"],
    };
    const {
      write,
      authFile,
      own: directory,
    } = createHome(own, {
      auths: { "a.example": { auth: "new" }, "docker.io": { auth: "hub" }, "d.example": {} },
      credHelpers: { "e.example": "e", "docker.io": "hub-helper" },
    });
    const expected = {
      auths: {
        "a.example": { auth: "new" },
        "b.example": { auth: "b" },
        "d.example": {},
        [hub]: { auth: "hub" },
      },
      credHelpers: { "a.example": "", "c.example": "c", "e.example": "e", [hub]: "hub-helper" },
      credsStore: "store",
      currentContext: "far",
      proxies: own.proxies,
      cliPluginsExtraDirs: ["/plugins", join(directory, "cli-plugins")],
    };
    const env = await write([`--authfile=${authFile}`]);
    expect(read(env)).toEqual(expected);
    expect(env["BUILDX_CONFIG"]).toBe(join(directory, "buildx"));
  });

  it("has an auth file's credsStore, and what REGISTRY_AUTH_FILE names", async () => {
    const { write, authFile } = createHome({ credsStore: "own" }, { credsStore: "its" });
    expect(read(await write([], { REGISTRY_AUTH_FILE: authFile }))).toMatchObject({
      credsStore: "its",
    });
  });

  it("has --creds before whatever helpers there are", async () => {
    const { write } = createHome({ credsStore: "own", credHelpers: { "registry.example": "x" } });
    const auth = Buffer.from("user:secret").toString("base64");
    expect(read(await write(["--creds=user:secret"]))).toMatchObject({
      auths: { "registry.example": { auth }, [hub]: { auth } },
      credHelpers: { "registry.example": "", [hub]: "" },
    });
  });

  it("has the contexts of the user's", async () => {
    const { write, own } = createHome({ currentContext: "far" });
    mkdirSync(join(own, "contexts"));
    const { DOCKER_CONFIG = "" } = await write(["--creds=user:secret"]);
    expect(readlinkSync(join(DOCKER_CONFIG, "contexts"))).toBe(join(own, "contexts"));
  });
});
