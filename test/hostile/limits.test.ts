import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openArchive } from "../../src/archive/archive-source.ts";
import { openFile, openOutput, closeDirectory } from "../../src/archive/read/directory.ts";
import { listSteps } from "../../src/archive/read/list-names.ts";
import { createDirectory, writeFiles } from "../support/layers/fixtures.ts";
import { rawEntry, rawTar } from "../support/layers/raw-tar.ts";
import { createTurns } from "../../src/system/turns.ts";
import { bundleModule } from "../support/bundle.ts";

describe("a process that may open no more files", () => {
  let bundle: Awaited<ReturnType<typeof bundleModule>>;
  beforeAll(async () => {
    bundle = await bundleModule("src/layers/collect/collect.ts");
  });
  afterAll(() => bundle.remove());

  it("says so", () => {
    const output = writeFiles(createDirectory(), { "layers/a/x": "x" });
    const program = `
      import { openSync } from "node:fs";
      const { collectOutput } = await import(${JSON.stringify(pathToFileURL(bundle.file).href)});
      const options = { previous: [], staging: ${JSON.stringify(createDirectory())}, baseLayers: 0,
        compression: "none", maxLayers: 9, maxLayerSize: 1e9, allowDevices: false, isKnown: async () => false };
      const opened = [];
      try { for (;;) opened.push(openSync("/dev/null")); } catch {}
      collectOutput(${JSON.stringify(output)}, options).catch((error) => console.log(error.code, error.hint));
    `;
    const args = ["--nofile=512", process.execPath, "--input-type=module", "-e", program];
    const { stdout, stderr } = spawnSync("prlimit", args, { encoding: "utf8" });
    expect(stdout + stderr).toBe(
      "open-files-limit raise the limit of open files (ulimit -n 1024)\n",
    );
  });
});

describe("long work hears the signal", () => {
  const reason = new Error("interrupted");

  /** Aborted as soon as anything else gets its turn. */
  function abortSoon(): AbortSignal {
    const abort = new AbortController();
    setImmediate(() => abort.abort(reason));
    return abort.signal;
  }

  it("while the headers of a large archive are read", async () => {
    const total = 60_000;
    const entries = Array.from({ length: total }, (_, index) =>
      rawEntry({ name: `file-${index}` }),
    );
    const output = writeFiles(createDirectory(), { "a.tar": rawTar(...entries) });
    const directory = openOutput(output);
    let seen = 0;
    const options = {
      previous: [],
      reuse: undefined,
      compression: "none" as const,
      epoch: undefined,
      maxLayers: 9,
      maxLayerSize: 1e9,
      allowDevices: false,
      staging: output,
      baseLayers: 0,
      signal: abortSoon(),
    };
    const outcome = openArchive(openFile(directory, "a.tar"), options, () => {
      seen += 1;
    });
    await expect(outcome).rejects.toBe(reason);
    expect(seen).toBeLessThan(total);
    closeDirectory(directory);
  });

  it("while a large directory is listed", async () => {
    const path = createDirectory();
    mkdirSync(join(path, "d"));
    for (let index = 0; index < 1000; index += 1) writeFileSync(join(path, `file-${index}`), "");
    const directory = openOutput(path);
    await expect(listSteps(directory, createTurns(abortSoon()))).rejects.toBe(reason);
    expect(await listSteps(directory, createTurns())).toHaveLength(1002);
    closeDirectory(directory);
  });
});
