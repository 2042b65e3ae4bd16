import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listLayers } from "../../src/layers/collect/list-layers.ts";
import type { LooseLayer } from "../../src/layers/directory/loose-layers.ts";
import type { OutputScan } from "../../src/layers/directory/output-scan.ts";
import { indexPrevious } from "../../src/layers/collect/previous.ts";
import { openOutput } from "../../src/archive/read/directory.ts";
import { readConfig, readHistory } from "../../src/layers/directory/documents.ts";
import { parseJson } from "../../src/layers/directory/json.ts";
import { createSource } from "../../src/oci/json-places.ts";
import { createDirectory } from "../support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../support/layers/raw-tar.ts";
import { createTarReader } from "../../src/archive/tar/reader.ts";
import { readTreeXattrs } from "../../src/layers/collect/xattrs.ts";
import { measureGrowth } from "../support/count-work.ts";

/** Tenfold input may give a little more than tenfold work: what is done once stays. */
const linear = 14;

function openWith(name: string, text: string): ReturnType<typeof openOutput> {
  const directory = createDirectory();
  writeFileSync(join(directory, name), text);
  const output = openOutput(directory);
  onTestFinished(() => closeSync(output.fd));
  return output;
}

describe("the work grows with the input, and not faster", () => {
  it("for the lines of history.jsonl", () => {
    const growth = measureGrowth((size) => {
      const output = openWith("history.jsonl", '{"empty_layer":true}\n'.repeat(size));
      return () => readHistory(output);
    }, 1000);
    expect(growth).toBeLessThan(linear);
  });

  it("for the place of a mistake in the last line", () => {
    const growth = measureGrowth((size) => {
      const output = openWith("history.jsonl", `${'{"empty_layer":true}\n'.repeat(size)}{"x":1}`);
      return () => expect(() => readHistory(output)).toThrow(`history.jsonl:${size + 1}:1: `);
    }, 1000);
    expect(growth).toBeLessThan(linear);
  });

  it("for the mistakes of a document, of which some are named", () => {
    const growth = measureGrowth((size) => {
      const output = openWith("config.json", `{"Env":[${'"A",\n'.repeat(size)}"A"]}`);
      return () => expect(() => readConfig(output)).toThrow("config.json:1:9: ");
    }, 100);
    expect(growth).toBeLessThan(linear);
  });

  it("for entries that name loose layers", () => {
    const growth = measureGrowth((size) => {
      const layers = Array.from({ length: size }, (_, index) => createLoose(`layer-${index}`));
      const listed = layers.map(({ fileName }) => ({
        entry: { path: `layers/${fileName}` },
        locate: () => ({ file: "output/history.json" }),
      }));
      return () => listLayers(createScan(layers), listed, indexPrevious([]));
    }, 100);
    expect(growth).toBeLessThan(linear);
  });

  it("for the map of a sparse file", () => {
    const growth = measureGrowth((size) => {
      const archive = createSparse(size);
      return () => createTarReader("a", () => undefined).write(archive);
    }, 2000);
    expect(growth).toBeLessThan(linear);
  });

  it("for the attributes of one path", async () => {
    const small = await countSorted(listAttributes(300));
    const large = await countSorted(listAttributes(3000));
    expect(large / small).toBeLessThan(linear);
  });
});

function listAttributes(size: number): string {
  return `for i in $(seq ${size}); do printf 'a/x\\0user.%s\\0aa\\0' $i; done`;
}

/** How many items are sorted for the attributes that a program lists. */
async function countSorted(script: string): Promise<number> {
  const directory = createDirectory();
  mkdirSync(join(directory, "layers"));
  const fd = openSync(join(directory, "layers"), "r");
  onTestFinished(() => closeSync(fd));
  const layer = createLoose("a");
  const scan = { ...createScan([layer]), layerDirectory: { fd, way: "", shown: "output/layers" } };
  const sort = vi.spyOn(Array.prototype, "sort");
  try {
    const find = await readTreeXattrs(scan, {
      warn: () => undefined,
      programs: [{ program: "sh", args: ["-c", script] }],
    });
    expect(find(layer, "x").length).toBeGreaterThan(0);
    return sort.mock.contexts.reduce<number>((sum, context) => sum + lengthOf(context), 0);
  } finally {
    sort.mockRestore();
  }
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

describe("no text makes a reader go back over it again and again", () => {
  it("not a string that is never closed", () => {
    const text = Buffer.from(`["${"a".repeat(200_000)}`);
    expect(() => parseJson(createSource(text, "output/history.json"))).toThrow(
      "output/history.json:1:2: a string is not closed",
    );
  });
});

function createLoose(fileName: string): LooseLayer {
  const stats = {
    type: "directory" as const,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 0,
    mtimeNs: 0n,
    ino: 1n,
    dev: 1n,
    links: 1,
    deviceMajor: 0,
    deviceMinor: 0,
  };
  return { kind: "tree", name: fileName, order: undefined, fileName, stats };
}

function createScan(layers: readonly LooseLayer[]): OutputScan {
  return {
    blobs: new Map(),
    blobDirectory: undefined,
    layers,
    layerDirectory: undefined,
    hasState: false,
    others: [],
    warnings: [],
  };
}

/** A sparse file (PAX format, version 1.0) with so many parts of one byte. */
function createSparse(parts: number): Buffer {
  const numbers = Array.from({ length: parts }, (_, index) => `${2 * index}\n1\n`);
  const text = `${parts}\n${numbers.join("")}`;
  const map = text.padEnd(Math.ceil(text.length / 512) * 512, "\0");
  const records: [string, string][] = [
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    ["GNU.sparse.name", "sparse"],
    ["GNU.sparse.realsize", String(2 * parts)],
  ];
  return rawTar(rawPax(records), rawEntry({ name: "x", data: map + "d".repeat(parts) }));
}
