import { appendFileSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LayersInput, PreviousImages } from "../model.ts";
import { renderLast } from "./history-document.ts";
import { assertInputUnchanged, prepareLayersDirectory } from "./prepare.ts";
import { inputSchema } from "./schema.ts";
import {
  createDirectory,
  createPrevious,
  digestOf,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

const digest = digestOf(Buffer.from("blob"));
const other = digestOf(Buffer.from("other"));

function createInput(directory: string, previous: PreviousImages): LayersInput {
  writeFiles(directory, { store: "blob", "helper/layer": "#!/bin/sh\n", "state/a/b": "s" });
  return {
    previous,
    findBlob: (wanted) => Promise.resolve(wanted === digest ? join(directory, "store") : undefined),
    input: "local",
    maxLayers: 100,
    baseLayers: 2,
    state: { directory: join(directory, "state"), image: undefined },
  };
}

const previous = [
  createPrevious([
    {
      name: "one",
      digest,
      diffId: digest,
      annotations: { "a.b": "c", "io.xbuild.layer.fingerprint": "v1:x" },
    },
    { name: "tab\there\\and\nnewline", digest: other, diffId: other },
  ]),
  createPrevious([{ name: "one", digest: other, diffId: other }], false, "docker.example/old:1"),
];

describe("prepareLayersDirectory", () => {
  it("has a file of earlier images where some are named", async () => {
    const directory = createDirectory();
    const layers = [{ diffId: digest, name: "a-1 b-2" }];
    const release = { reference: "app:1", digest: other, created: 1_500_000_000_000, layers };
    const { root } = await prepareLayersDirectory(
      join(directory, "run"),
      join(directory, "helper"),
      { ...createInput(directory, []), releases: [release] },
    );
    const file = join(root, "bin/history");
    expect(readFileSync(file, "utf8")).toBe(
      `release\t1500000000\t${other}\tapp:1\nlayer\t${digest}\ta-1 b-2\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  it("lays out history, names, blobs, state and the helper", async () => {
    const directory = createDirectory();
    const input = createInput(directory, previous);
    const { root, output } = await prepareLayersDirectory(
      join(directory, "run"),
      join(directory, "helper"),
      input,
    );
    const own = ["bin", "history.json", "input", "mnt", "names", "output"];
    expect(readdirSync(root).sort()).toEqual(own);
    expect(readdirSync(join(root, "mnt")).sort()).toEqual(["base", "files", "image"]);
    expect(readdirSync(join(root, "bin")).sort()).toEqual(["last", "layer", "names.sh"]);
    expect(readFileSync(join(root, "names"), "utf8").split("\n")).toEqual([
      `${other}\t${other}\t0\tone`,
      `${digest}\t${digest}\t1\tone`,
      `${other}\t${other}\t0\ttab\\there\\\\and\\nnewline`,
      "",
    ]);
    expect(readFileSync(join(root, "bin/names.sh"), "utf8")).toBe(
      `case $1 in\n'one') digest=${digest} ;;\n*) unlisted=yes ;;\nesac\n`,
    );
    expect(readFileSync(join(root, "bin/last"), "utf8")).toBe("0 0\n");
    expect(JSON.parse(readFileSync(join(root, "history.json"), "utf8"))).toMatchObject({
      schemaVersion: 1,
      maxLayers: 100,
      baseLayers: 2,
      image: "localhost/app:latest",
      history: [
        {
          created_by: "one",
          digest,
          diff_id: digest,
          blob: true,
          size: 100,
          annotations: { "a.b": "c" },
        },
        { created_by: "tab\there\\and\nnewline", digest: other, blob: false },
      ],
      others: [{ image: "docker.example/old:1", history: [{ created_by: "one", digest: other }] }],
    });
    const text = readFileSync(join(root, "history.json"), "utf8");
    expect(text).not.toContain("io.xbuild.");
    expect(inputSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
    const blob = join(root, "input/blobs/sha256", digest.slice(7));
    expect(statSync(blob).ino).toBe(statSync(join(directory, "store")).ino);
    expect(readFileSync(join(root, "input/state/a/b"), "utf8")).toBe("s");
    expect(statSync(join(root, "bin/layer")).mode & 0o7777).toBe(0o755);
    expect(statSync(output).mode & 0o7777).toBe(0o777);
    expect(readdirSync(output)).toEqual(["blobs", "layers"]);
    for (const name of ["layers", "blobs", "blobs/sha256"]) {
      expect(statSync(join(output, name)).mode & 0o7777).toBe(0o777);
    }
  });

  it("gives an empty history and no blobs where there is nothing", async () => {
    const directory = createDirectory();
    const { state: _, ...input } = createInput(directory, []);
    const { root } = await prepareLayersDirectory(
      join(directory, "run"),
      join(directory, "helper"),
      input,
    );
    expect(JSON.parse(readFileSync(join(root, "history.json"), "utf8"))).toEqual({
      schemaVersion: 1,
      maxLayers: 100,
      baseLayers: 2,
      history: [],
      others: [],
    });
    expect(readFileSync(join(root, "names"), "utf8")).toBe("");
    expect(readdirSync(join(root, "input/state"))).toEqual([]);
  });

  it("lays out no blobs with input none", async () => {
    const directory = createDirectory();
    const input: LayersInput = { ...createInput(directory, previous), input: "none" };
    const { root } = await prepareLayersDirectory(
      join(directory, "run"),
      join(directory, "helper"),
      input,
    );
    expect(readdirSync(join(root, "input/blobs/sha256"))).toEqual([]);
    expect(readFileSync(join(root, "names"), "utf8")).not.toContain("\t1\t");
  });
});

describe("assertInputUnchanged", () => {
  it("refuses a build that wrote to its input", async () => {
    const directory = createDirectory();
    const input = createInput(directory, previous);
    const prepared = await prepareLayersDirectory(
      join(directory, "run"),
      join(directory, "helper"),
      input,
    );
    await assertInputUnchanged(prepared);
    appendFileSync(join(directory, "store"), "x");
    await expect(assertInputUnchanged(prepared)).rejects.toMatchObject({ code: "input-changed" });
  });
});

describe("renderLast", () => {
  it("tells which lines of the names are the layers of an image", () => {
    const [newest, older] = previous;
    expect(renderLast(previous, older?.image.digest)).toBe("1 1\n");
    expect(renderLast(previous, newest?.image.digest)).toBe("2 2\n");
    expect(renderLast(previous, digest)).toBe("0 0\n");
    expect(renderLast(previous, undefined)).toBe("0 0\n");
  });
});
