import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { identifyOwnProcess } from "../../system/process-identity.ts";
import { createBuildctl, createBuildx } from "./client.ts";
import { makePassDirectory, removeDead } from "./pass-directory.ts";
import { passThrough } from "./pass-through.ts";

let directory: string;

/** The clients note what they are called with, and what they are offered. */
const client = `#!/bin/sh
cd '$PLACE'
printf '%s\\n' "$@" >words
for one; do case $one in --local=xbuild-file=*) offered=\${one#*=*=};; esac; done
if [ -n "$offered" ]; then find "$offered" -mindepth 1 -printf '%P\\n' | sort >offered; cat "$offered/Containerfile" >text; fi
rm -f config; if [ -n "$DOCKER_CONFIG" ]; then cp "$DOCKER_CONFIG/config.json" config; fi
`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "xbuild-through-"));
  mkdirSync(join(directory, "bin"));
  mkdirSync(join(directory, "tmp"));
  mkdirSync(join(directory, "context"));
  for (const name of ["buildctl", "buildx"]) {
    const path = join(directory, "bin", name);
    writeFileSync(path, client.replace("$PLACE", directory));
    chmodSync(path, 0o755);
  }
  writeFileSync(
    join(directory, "context/Containerfile"),
    "ARG WHERE=a.example\nFROM $WHERE/x AS one\nARG TOKEN=none\nFROM one\nCOPY --from=b.example/y /z /\n",
  );
  vi.stubEnv("PATH", `${join(directory, "bin")}:${process.env["PATH"]}`);
  vi.stubEnv("TMPDIR", join(directory, "tmp"));
  for (const name of ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "TOKEN"]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const read = (name: string): string => readFileSync(join(directory, name), "utf8");
const buildctl = createBuildctl("tcp://far:1", []);
const pass = (...words: readonly string[]): Promise<number> =>
  passThrough(buildctl, [...words, join(directory, "context")]);

describe("a build without OUTPUT", () => {
  it("takes an argument's value from the environment, where no command line shows it", async () => {
    vi.stubEnv("TOKEN", "secret-value");
    expect(await pass("--build-arg", "TOKEN", "--build-arg=SHOWN=1")).toBe(0);
    expect(read("words")).not.toContain("secret-value");
    expect(read("words")).toContain("--opt=build-arg:SHOWN=1\n");
    expect(read("text")).toContain('ARG TOKEN="secret-value"\n');
    expect(readdirSync(join(directory, "tmp"))).toEqual([]);
  });

  it("leaves an argument alone that the environment does not have", async () => {
    await pass("--build-arg=TOKEN");
    expect(read("words")).not.toContain("TOKEN");
    expect(read("text")).toContain("ARG TOKEN=none\n");
  });

  it("has the last value of an argument", async () => {
    vi.stubEnv("TOKEN", "secret-value");
    await pass("--build-arg=TOKEN", "--build-arg=TOKEN=last");
    expect(read("words")).toContain("--opt=build-arg:TOKEN=last\n");
    expect(read("text")).not.toContain("secret-value");
  });

  it.each([
    ["buildctl", buildctl, "Containerfile\n"],
    ["buildx", createBuildx(["buildx"], "far"), ""],
  ])(
    "with %s shows --creds to the registries that it names, and offers them to nobody",
    async (_, one, offered) => {
      const context = join(directory, "context");
      const words = ["--creds", "user:secret", `--file=${context}/Containerfile`, "-t=c.example/z"];
      expect(await passThrough(one, [...words, context])).toBe(0);
      expect(read("words")).not.toMatch(/secret|creds/);
      for (const host of ["a", "b", "c"])
        expect(read("config")).toContain(`"${host}.example":{"auth"`);
      expect(existsSync(join(directory, "offered")) ? read("offered") : "").toBe(offered);
      expect(readdirSync(join(directory, "tmp"))).toEqual([]);
    },
  );

  it("takes an auth file", async () => {
    const path = join(directory, "auth.json");
    writeFileSync(path, JSON.stringify({ auths: { "a.example": { auth: "x" } } }));
    await pass(`--authfile=${path}`);
    expect(read("words")).not.toContain("auth.json");
    expect(read("config")).toContain('"a.example":{"auth":"x"}');
    vi.stubEnv("REGISTRY_AUTH_FILE", path);
    await passThrough(createBuildx(["buildx"], "far"), [join(directory, "context")]);
    expect(read("config")).toContain('"a.example":{"auth":"x"}');
  });
});

describe("what a killed build without OUTPUT left", () => {
  it("is removed by the next, and nothing else", async () => {
    const place = join(directory, "tmp");
    const own = await makePassDirectory();
    const { pid } = spawnSync("true");
    const [, ...rest] = (await identifyOwnProcess()).split(".");
    const dead = join(place, `xbuild-pass-${[pid, ...rest].join(".")}-abcdef`);
    const others = ["xbuild-pass-x", "xbuild-other", "xbuild-pass-1.2.3.4.5-abcdef"];
    for (const name of others) mkdirSync(join(place, name));
    mkdirSync(join(dead, "file"), { recursive: true });
    writeFileSync(join(dead, "file/Containerfile"), "secret");
    await removeDead(place);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(own)).toBe(true);
    expect(readdirSync(place)).toEqual(expect.arrayContaining(others));
    await expect(removeDead(join(directory, "none"))).resolves.toBeUndefined();
  });
});
