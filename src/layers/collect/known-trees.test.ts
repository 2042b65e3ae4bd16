import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  asPrevious,
  collect,
  createDirectory,
  layersOf,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import type { Digest } from "../../oci/model.ts";
import type { CollectedOutput } from "../model.ts";
import type { TreeMemory } from "./known-trees.ts";

function createMemory(): TreeMemory & { readonly known: Map<Digest, Digest> } {
  const known = new Map<Digest, Digest>();
  return {
    known,
    find: (key) => Promise.resolve(known.get(key)),
    keep: async (key, diffId) => void known.set(key, diffId),
  };
}

/** Waits until all that was written is older than what is believed. */
async function settle(path: string): Promise<void> {
  const all = readdirSync(path, { recursive: true, encoding: "utf8" });
  const times = ["", ...all].map(
    (name) => statSync(join(path, name), { throwIfNoEntry: false })?.ctimeMs ?? 0,
  );
  while (Date.now() - Math.max(...times) < 2100) await sleep(50);
}

async function make(): Promise<string> {
  const output = createDirectory();
  const tree = join(output, "layers", "one");
  writeFiles(tree, { "dir/file": "1", "dir/other": "2" });
  symlinkSync("file", join(tree, "dir", "link"));
  linkSync(join(tree, "dir", "file"), join(tree, "hard"));
  await settle(output);
  return tree;
}

interface Looked {
  readonly collected: CollectedOutput;
  /** How many bytes of the tree were looked through. */
  readonly bytes: number;
}

async function look(tree: string, trees: TreeMemory, before?: CollectedOutput): Promise<Looked> {
  let bytes = 0;
  const collected = await collect(join(tree, "../.."), {
    trees,
    previous: before === undefined ? [] : [asPrevious(before)],
    onProgress: (done) => void (bytes = done.bytes ?? bytes),
  });
  return { collected, bytes };
}

const changes: Readonly<Record<string, (tree: string) => void>> = {
  "a file of the same size and times": (tree) => {
    const path = join(tree, "dir/other");
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "3");
    utimesSync(path, atime, mtime);
  },
  "another file in its place": (tree) => {
    writeFileSync(join(tree, "new"), "1");
    renameSync(join(tree, "new"), join(tree, "dir/other"));
  },
  "a mode": (tree) => chmodSync(join(tree, "dir"), 0o700),
  "a file more": (tree) => writeFileSync(join(tree, "dir/more"), ""),
  "a file less": (tree) => rmSync(join(tree, "dir/other")),
  "where a link leads to": (tree) => {
    rmSync(join(tree, "dir/link"));
    symlinkSync("elif", join(tree, "dir/link"));
    lutimesSync(join(tree, "dir/link"), 1, 1);
  },
  "another tree of that name": (tree) => {
    renameSync(tree, `${tree}.old`);
    mkdirSync(tree);
    writeFileSync(join(tree, "file"), "1");
    rmSync(`${tree}.old`, { recursive: true });
  },
};

describe("a tree that outlives the build", () => {
  it("is not read again where nothing touched it", async () => {
    const tree = await make();
    const memory = createMemory();
    const first = await look(tree, memory);
    expect(first.bytes).toBeGreaterThan(0);
    const second = await look(tree, memory, first.collected);
    expect(second.bytes).toBe(0);
    expect(layersOf(second.collected).map(({ status }) => status)).toEqual(["equal"]);
    // No image has that layer.
    expect((await look(tree, memory)).bytes).toBeGreaterThan(0);
  });

  it("is read where something changed", async () => {
    const memory = createMemory();
    const all = await Promise.all(
      Object.entries(changes).map(async ([name, change]) => ({ name, change, tree: await make() })),
    );
    const looked = [];
    for (const { name, change, tree } of all) {
      const first = await look(tree, memory);
      change(tree);
      const expected = nameDiffId(await collect(join(tree, "../.."), {}));
      looked.push({ name, tree, expected, second: await look(tree, memory, first.collected) });
    }
    const changed = looked.map(({ name, expected }) => ({ name, isRead: true, diffId: expected }));
    const described = looked.map(({ name, second }) => ({
      name,
      isRead: second.bytes > 0,
      diffId: nameDiffId(second.collected),
    }));
    expect(described).toEqual(changed);
    const later = [];
    for (const { name, tree, second } of looked) {
      await settle(tree);
      const { collected } = await look(tree, memory, second.collected);
      later.push({ name, isRead: true, diffId: nameDiffId(collected) });
    }
    expect(later).toEqual(changed);
  });
});

function nameDiffId(collected: CollectedOutput): Digest | undefined {
  return layersOf(collected)[0]?.diffId;
}
