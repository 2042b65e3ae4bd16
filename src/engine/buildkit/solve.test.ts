import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseContainerfile } from "../../containerfile/containerfile.ts";
import type { SessionWorkspace } from "../model.ts";
import { createBuildctl } from "./client.ts";
import { solve } from "./solve.ts";
import type { SolveCall } from "./solve-call.ts";

const directories: string[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of directories.splice(0)) await rm(one, { recursive: true });
});

/** A directory of a run, and beside it a buildctl that does what a script says. */
function createRun(script: string): {
  readonly directory: string;
  readonly work: SessionWorkspace;
} {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-solve-"));
  directories.push(directory);
  mkdirSync(join(directory, "bin"));
  mkdirSync(join(directory, "run"));
  writeFileSync(join(directory, "bin/buildctl"), `#!/bin/sh\ncd '${directory}'\n${script}\n`);
  chmodSync(join(directory, "bin/buildctl"), 0o755);
  vi.stubEnv("PATH", `${join(directory, "bin")}:${process.env["PATH"]}`);
  const work = {
    run: { directory: join(directory, "run"), note: () => Promise.resolve() },
    reporter: { log: { stdout: () => undefined, stderr: () => undefined } },
    signal: new AbortController().signal,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
  return { directory, work: work as unknown as SessionWorkspace };
}

const call: SolveCall = {
  text: "FROM registry.example/a\n",
  context: "/context",
  ignoreFile: undefined,
  sources: new Map([
    ["a", { kind: "registry", name: `registry.example/a@sha256:${"0".repeat(64)}` }],
  ]),
  buildArgs: new Map(),
  hiddenArgs: new Set(),
  platform: undefined,
  noCache: false,
  flags: ["--creds=user:secret"],
  output: { kind: "none" },
  purpose: "test",
};

const telling = {
  containerfile: parseContainerfile(Buffer.from(call.text), ""),
  told: new Set<string>(),
  show: () => undefined,
};

describe("a call", () => {
  it("offers the builder its file and what is ignored, and no credentials", async () => {
    const { directory, work } = createRun(
      "for one; do case $one in --local=xbuild-file=*) offered=${one#*=*=};; esac; done\n" +
        'find "$offered" -mindepth 1 -printf "%P\\n" | sort >offered; find run -name config.json >configs\n' +
        'cp "$DOCKER_CONFIG/config.json" seen; case $DOCKER_CONFIG in "$offered"*) echo inside >>offered;; esac',
    );
    const client = createBuildctl("tcp://far:1", []);
    await solve({ call, client }, telling, work);
    const read = (name: string): string => readFileSync(join(directory, name), "utf8");
    expect(read("offered")).toBe("Containerfile\nContainerfile.dockerignore\n");
    expect(read("seen")).toContain("registry.example");
    expect(read("configs")).toMatch(/^run\/solve-\w+\/docker\/config\.json\n$/);
    expect(readdirSync(join(directory, "run"))).toEqual([]);
  });
});
