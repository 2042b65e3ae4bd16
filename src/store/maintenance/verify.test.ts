import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  checkStore,
  commitRecorded,
  commitTestImage,
  withStore,
} from "../../../test/support/store.ts";
import { createTestImage, createTestLayer, stageTestLayers } from "../../../test/support/images.ts";
import type { Image } from "../../oci/model.ts";
import { findImage, listImages } from "../images/images.ts";
import { blobPath, documentPath, indexCopyPath, indexPath, type Store } from "../layout/paths.ts";
import { commitImage } from "../images/commit.ts";
import { findRecord, findRef } from "../records/records.ts";
import { beginRun } from "../runs/runs.ts";
import { findBlob } from "../blobs/blobs.ts";

const name = "localhost/app:latest";

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 4;
  await writeFile(path, bytes);
}

async function listCodes(store: Store, repair = false): Promise<readonly string[]> {
  return (await checkStore(store, { repair })).map(({ code, outcome }) => `${code} ${outcome}`);
}

const damages: readonly [string, (store: Store, image: Image) => string, string[], string[]][] = [
  [
    "layer",
    (store, { manifest }) => blobPath(store, manifest.layers[0]?.digest ?? manifest.config.digest),
    ["blob-damaged left"],
    ["blob-damaged removed", "image-missing removed"],
  ],
  [
    "manifest",
    (store, { digest }) => blobPath(store, digest),
    ["blob-damaged left", "image-missing left"],
    ["blob-damaged removed", "image-missing removed"],
  ],
  [
    "config",
    (store, { manifest }) => blobPath(store, manifest.config.digest),
    ["blob-damaged left", "image-missing left"],
    ["blob-damaged removed", "image-missing removed"],
  ],
  [
    "record",
    (store) => documentPath(store, "records", "key"),
    ["record-damaged left"],
    ["record-damaged removed"],
  ],
  ["index", indexPath, ["index-changed left"], ["index-changed repaired"]],
  ["index's copy", indexCopyPath, ["index-changed left"], ["index-changed repaired"]],
];

test("a layer that has not the diff ID that its image says is found, and its image forgotten", () =>
  withStore(async (store) => {
    const layers = [await createTestLayer("one", "one"), await createTestLayer("two", "two")];
    const untrue = layers.map((layer) => ({ ...layer, diffId: layers[0]?.diffId ?? layer.diffId }));
    const image = createTestImage(untrue);
    const run = await beginRun(store);
    const stagedBlobs = await stageTestLayers(layers, run.staging);
    const record = { key: "key", manifest: image.digest, names: [name] };
    const refs = ["stage"];
    const names = [name, "registry.example/app:latest"];
    await commitImage(run, { image, stagedBlobs, names, records: [record], refs });
    await run.end();
    const [finding] = await checkStore(store);
    expect(finding).toMatchObject({ code: "layer-diff-id", names, outcome: "left" });
    expect(finding?.message).toContain(layers[1]?.digest);
    expect((await listCodes(store, true)).toSorted()).toEqual([
      "image-missing removed",
      "image-missing removed",
      "layer-diff-id removed",
    ]);
    expect(await listImages(store)).toEqual([]);
    expect(await findRecord(store, "key")).toBeUndefined();
    expect(await findRef(store, "stage")).toBeUndefined();
    expect(await checkStore(store)).toEqual([]);
  }));

test.each(damages)("a flipped bit in the %s is found, repaired, and then gone", (_w, find, f, r) =>
  withStore(async (store) => {
    const image = await commitRecorded(store, ["one", "two"], "key", [name]);
    expect(await checkStore(store)).toEqual([]);
    await flipBit(find(store, image), -40);
    expect(await listCodes(store)).toEqual(f);
    expect(await listCodes(store, true)).toEqual(r);
    expect(await checkStore(store)).toEqual([]);
    await commitRecorded(store, ["one", "two"], "key", [name]);
    expect(await findImage(store, name)).toEqual(image);
    expect((await findRecord(store, "key"))?.manifest).toBe(image.digest);
    expect(await checkStore(store)).toEqual([]);
  }),
);

test("no flipped bit of the index loses a name", () =>
  withStore(async (store) => {
    const one = await commitTestImage(store, ["one"], { names: [name] });
    const two = await commitTestImage(store, ["two"], { names: ["localhost/other:1"] });
    const { length } = await readFile(indexPath(store));
    for (let at = 0; at < length; at += 7) {
      await flipBit(indexPath(store), at);
      const lenient = { ...store, onDamage: () => {} };
      const found = new Set((await listImages(lenient)).map(({ digest }) => digest));
      const isSeen = found.has(one.digest) && found.has(two.digest);
      await checkStore(store, { repair: true });
      expect([at, (await findImage(store, name))?.digest]).toEqual([at, one.digest]);
      const other = await findImage(store, "localhost/other:1");
      expect([at, other?.digest, isSeen]).toEqual([at, two.digest, true]);
      expect(await checkStore(store)).toEqual([]);
    }
  }));

test("a finding says whom it concerns", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    await commitTestImage(store, ["two"], { names: ["localhost/other:1"] });
    const digest = image.manifest.layers[0]?.digest ?? image.digest;
    await flipBit(blobPath(store, digest), 0);
    const [finding] = await checkStore(store);
    expect(finding).toMatchObject({ names: [name], path: `blobs/sha256/${digest.slice(7)}` });
  }));

test("a damaged blob is brought from where the image is, when its bytes are right", () =>
  withStore(async (store, directory) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    const digest = image.manifest.layers[0]?.digest ?? image.digest;
    const right = await readFile(blobPath(store, digest));
    const fetched = join(directory, "fetched");
    await flipBit(blobPath(store, digest), 3);
    await writeFile(fetched, right);
    const fetchBlob = async (): Promise<string> => fetched;
    const findings = await checkStore(store, { repair: true, fetchBlob });
    expect(findings.map(({ outcome }) => outcome)).toEqual(["repaired"]);
    expect(await readFile(blobPath(store, digest))).toEqual(right);
    await flipBit(blobPath(store, digest), 3);
    await writeFile(fetched, "wrong");
    const again = await checkStore(store, { repair: true, fetchBlob });
    expect(again.map(({ code }) => code)).toEqual(["blob-damaged", "image-missing"]);
    expect(await findBlob(store, { digest })).toBeUndefined();
  }));

test("an image that a registry has keeps its name without a layer, one that is only here does not", () =>
  withStore(async (store) => {
    const names = [name, "example.com/team/app:1"];
    const image = await commitTestImage(store, ["one"], { names });
    await flipBit(blobPath(store, image.manifest.layers[0]?.digest ?? image.digest), 3);
    await checkStore(store, { repair: true });
    expect(await findImage(store, name)).toBeUndefined();
    expect(await findImage(store, "example.com/team/app:1")).toEqual(image);
  }));

test("layers that are elsewhere and documents of a later version are no finding", () =>
  withStore(async (store) => {
    const image = await commitRecorded(store, ["one"], "key", [name]);
    await rm(blobPath(store, image.manifest.layers[0]?.digest ?? image.digest));
    const [file = ""] = await readdir(join(store.directory, "records"));
    await writeFile(join(store.directory, "records", file), '{"version":99,"new":true}');
    expect(await checkStore(store)).toEqual([]);
    expect(await findRecord(store, "key")).toBeUndefined();
  }));

test("a file whose name is no digest is named and left", () =>
  withStore(async (store) => {
    await commitTestImage(store, ["one"], { names: [name] });
    await writeFile(join(store.directory, "blobs", "sha256", "note"), "x");
    expect(await listCodes(store, true)).toEqual(["blob-name left"]);
  }));
