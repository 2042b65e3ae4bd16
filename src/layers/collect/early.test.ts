import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  collect,
  createDirectory,
  createOptions,
  layersOf,
  makeTar,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import type { CollectOptions } from "../model.ts";
import { XbuildError } from "../../errors.ts";
import { collectEarly, type EarlyLayers } from "./early.ts";

interface Running {
  readonly output: string;
  readonly early: EarlyLayers;
  readonly options: CollectOptions;
}

/** A build that has begun, its output watched. */
function begin(): Running {
  const output = createDirectory();
  mkdirSync(join(output, "layers"));
  const options = createOptions();
  const early = collectEarly(output, options);
  onTestFinished(() => early.drop());
  return { output, early, options };
}

function tarOf(files: Readonly<Record<string, string>>, ...args: readonly string[]): Buffer {
  return makeTar(writeFiles(createDirectory(), files), ...args);
}

/** As the helper does it: the file is whole when it has its name, and then it is listed. */
function addLayer({ output }: Running, name: string, tar: Buffer): string {
  const path = join(output, "layers", `${name}.tar`);
  writeFileSync(join(output, "unfinished"), tar);
  renameSync(join(output, "unfinished"), path);
  list({ output }, { created_by: name, path: `layers/${name}.tar` });
  return path;
}

function list({ output }: Pick<Running, "output">, entry: unknown): void {
  appendFileSync(join(output, "history.jsonl"), `${JSON.stringify(entry)}\n`);
}

/** Waits until so many layers were packed before anybody collects. */
async function packed(
  { options: { staging } }: Running,
  count: number,
): Promise<readonly string[]> {
  for (;;) {
    const names = readdirSync(staging);
    const whole = names.filter((name) => statSync(join(staging, name)).size > 0);
    if (whole.length >= count) return names;
    await sleep(5);
  }
}

/** What is collected of it with what was packed early, and what without, each as name and digest. */
async function collectBoth(running: Running): Promise<Record<"early" | "late", readonly string[]>> {
  const { output, early, options } = running;
  const describeAll = async (more: Partial<CollectOptions>): Promise<readonly string[]> => {
    const collected = await collect(output, more);
    const layers = layersOf(collected).map(({ name, status, descriptor, diffId, largest }) =>
      JSON.stringify([name, status, descriptor, diffId, largest]),
    );
    return [...layers, ...collected.warnings.map(({ message }) => message)];
  };
  const late = await describeAll({});
  return { early: await describeAll({ ...options, early }), late };
}

describe("collectEarly", () => {
  it("packs what is listed before the build has ended, and it is the same layer", async () => {
    const running = begin();
    addLayer(running, "one", tarOf({ "etc/one": "1" }));
    addLayer(running, "other", tarOf({ "etc/two": "", "var/cache/two": "22" }, "--mode=0700"));
    const files = await packed(running, 2);
    const { early, late } = await collectBoth(running);
    expect(early).toEqual(late);
    expect(early.join("\n")).toContain('"path":"var/cache/two"');
    expect(early.join("\n")).toContain("changes directories of a layer below it");
    // Nothing was packed twice.
    expect(readdirSync(running.options.staging)).toEqual(files);
  });

  it("takes nothing of a file that was written to, also where its size and mtime are the same", async () => {
    const running = begin();
    const path = addLayer(running, "one", tarOf({ "etc/one": "1" }));
    const [first = ""] = await packed(running, 1);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, tarOf({ "etc/one": "2" }));
    utimesSync(path, atime, mtime);
    const { early, late } = await collectBoth(running);
    expect(early).toEqual(late);
    expect(existsSync(join(running.options.staging, first))).toBe(false);
  });

  it("takes nothing of a file that another one has replaced, or that has another name in the end", async () => {
    const running = begin();
    const path = addLayer(running, "one", tarOf({ "etc/one": "1" }));
    addLayer(running, "two", tarOf({ "etc/two": "2" }));
    await packed(running, 2);
    renameSync(path, join(running.output, "layers", "moved"));
    writeFileSync(path, tarOf({ "etc/one": "3" }));
    renameSync(join(running.output, "layers", "moved"), join(running.output, "moved"));
    writeFileSync(
      join(running.output, "history.jsonl"),
      '{"created_by":"one","path":"layers/one.tar"}\n{"created_by":"called","path":"layers/two.tar"}\n',
    );
    const { early, late } = await collectBoth(running);
    expect(early).toEqual(late);
    expect(early.join("\n")).toContain('["called","new"');
    expect(readdirSync(running.options.staging)).toHaveLength(2);
  });

  it("leaves what is wrong to the end", async () => {
    const running = begin();
    list(running, "no entry");
    appendFileSync(join(running.output, "history.jsonl"), "no JSON\n[]\n");
    list(running, { created_by: "up", path: "layers/../history.jsonl" });
    list(running, { created_by: "none", path: "layers/none.tar" });
    execFileSync("mkfifo", [join(running.output, "layers", "fifo.tar")]);
    list(running, { created_by: "fifo", path: "layers/fifo.tar" });
    addLayer(running, "broken", Buffer.alloc(2048, "x"));
    addLayer(running, "good", tarOf({ good: "1" }));
    await packed(running, 1);
    await expect(
      collect(running.output, { ...running.options, early: running.early }),
    ).rejects.toThrow(XbuildError);
    expect(readdirSync(running.options.staging)).toEqual([]);
  });

  it("packs nothing more when it was stopped, and leaves nothing where nobody collects", async () => {
    const running = begin();
    addLayer(running, "one", tarOf({ one: "1" }));
    await packed(running, 1);
    running.early.stop();
    addLayer(running, "two", tarOf({ two: "2" }));
    await running.early.drop();
    expect(readdirSync(running.options.staging)).toEqual([]);
  });
});
