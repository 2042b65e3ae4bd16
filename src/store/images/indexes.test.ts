import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestImage, createTestLayer, stageTestLayers } from "../../../test/support/images.ts";
import { checkStore, commitTestImage, withStore } from "../../../test/support/store.ts";
import { validateLayout } from "../../../test/support/validate-layout.ts";
import { assembleIndex, describeIndex } from "../../oci/assemble-index.ts";
import { digestBytes } from "../../oci/digest.ts";
import { encodeJson } from "../../oci/json.ts";
import type { Descriptor, Image, ImageIndex } from "../../oci/model.ts";
import { findBlob } from "../blobs/blobs.ts";
import { blobPath, indexPath, type Store } from "../layout/paths.ts";
import { pruneStore } from "../maintenance/prune.ts";
import { removeNames } from "../maintenance/remove-names.ts";
import { listStoredImages, measureStore } from "../maintenance/summary.ts";
import { beginRun, type Run } from "../runs/runs.ts";
import { commitImage } from "./commit.ts";
import { commitIndex } from "./commit-index.ts";
import { exportLayout } from "./export.ts";
import { findImage, findNamed, listImages } from "./images.ts";
import { findIndex } from "./indexes.ts";
import { removeName, tagImage, tagName } from "./names.ts";

const name = "localhost/app:latest";
const linux = (architecture: string) => ({ os: "linux", architecture });

/** An image of one layer, in the store without a name. */
async function commitPlatform(run: Run, architecture: string, content: string): Promise<Image> {
  const layer = await createTestLayer(content, content);
  const image = createTestImage([layer], {}, architecture);
  const stagedBlobs = await stageTestLayers([layer], run.staging);
  await run.reserve(image);
  await commitImage(run, { image, stagedBlobs, names: [] });
  return image;
}

async function commitBoth(
  store: Store,
  contents: readonly [string, string],
  names: readonly string[] = [name],
): Promise<ImageIndex> {
  const run = await beginRun(store);
  const images = [
    await commitPlatform(run, "amd64", contents[0]),
    await commitPlatform(run, "arm64", contents[1]),
  ];
  const index = assembleIndex(images);
  await commitIndex(run, { index, names });
  await run.end();
  return index;
}

test("a name stands for an index: each platform's image is found, and what it has not is not", () =>
  withStore(async (store) => {
    const index = await commitBoth(store, ["one", "two"]);
    const [amd64, arm64] = index.images;
    expect(await findNamed(store, name)).toBe(index.digest);
    expect(await findImage(store, name, linux("amd64"))).toEqual(amd64);
    expect(await findImage(store, name, { ...linux("arm64"), variant: "v8" })).toEqual(arm64);
    expect(await findImage(store, name, linux("s390x"))).toBeUndefined();
    expect(await findImage(store, name)).toEqual(amd64);
    expect(await findIndex(store, name)).toEqual(index);
    expect(await listImages(store)).toEqual([
      { name, digest: index.digest, isIndex: true, images: [amd64, arm64] },
    ]);
    expect(await validateLayout(store.directory)).toEqual([]);
    expect(await checkStore(store)).toEqual([]);
    const plain = await commitTestImage(store, ["plain"], { names: ["localhost/plain:1"] });
    // Whoever names one image means that one.
    expect(await findImage(store, "localhost/plain:1", linux("s390x"))).toEqual(plain);
    expect(await findIndex(store, "localhost/plain:1")).toBeUndefined();
    expect(await findIndex(store, "localhost/none:1")).toBeUndefined();
  }));

test("an equal index writes nothing; another takes the name, and gives it back to an image", () =>
  withStore(async (store) => {
    const first = await commitBoth(store, ["one", "two"]);
    const before = [await stat(indexPath(store)), await stat(blobPath(store, first.digest))];
    const again = await commitBoth(store, ["one", "two"]);
    const after = [await stat(indexPath(store)), await stat(blobPath(store, again.digest))];
    expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(
      before.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
    );
    const second = await commitBoth(store, ["one", "three"]);
    expect(await findNamed(store, name)).toBe(second.digest);
    const [amd64] = second.images;
    if (amd64 === undefined) throw new Error("it has one");
    await tagImage(store, amd64, [name]);
    expect(await findNamed(store, name)).toBe(amd64.digest);
    await commitBoth(store, ["one", "three"]);
    expect(await findNamed(store, name)).toBe(second.digest);
  }));

test("without a name an index is not written", () =>
  withStore(async (store) => {
    const index = await commitBoth(store, ["one", "two"], []);
    expect(await findBlob(store, index)).toBeUndefined();
  }));

test("a prune leaves all that a named index has, and takes all of one without a name", () =>
  withStore(async (store) => {
    const old = await commitBoth(store, ["one", "two"]);
    const index = await commitBoth(store, ["one", "three"]);
    await tagName(store, name, "localhost/second:1");
    await removeName(store, name);
    const usage = await measureStore(store);
    expect(usage.orphaned).toBeGreaterThan(0);
    const { blobs } = await pruneStore(store, {});
    expect(blobs.map(({ digest }) => digest)).toContain(old.digest);
    expect(await findBlob(store, { digest: old.images[1]?.digest ?? old.digest })).toBeUndefined();
    expect(await findIndex(store, "localhost/second:1")).toEqual(index);
    expect((await measureStore(store)).orphaned).toBe(0);
    expect((await listStoredImages(store)).map(({ names }) => names)).toEqual([
      ["localhost/second:1"],
      ["localhost/second:1"],
    ]);
    expect(await validateLayout(store.directory)).toEqual([]);
    await removeName(store, "localhost/second:1");
    await pruneStore(store, {});
    expect(await findBlob(store, index)).toBeUndefined();
  }));

test("the last name of an index takes all of it along that no other name needs", () =>
  withStore(async (store) => {
    const index = await commitBoth(store, ["one", "two"]);
    const [amd64, arm64] = index.images;
    await tagName(store, name, "localhost/second:1");
    const kept = { kind: "named", name: "localhost/second:1" };
    expect((await removeNames(store, [name])).staying).toContainEqual({
      digest: index.digest,
      reason: kept,
    });
    const run = await beginRun(store);
    await tagImage(store, await commitPlatform(run, "amd64", "one"), ["localhost/part:1"]);
    await run.end();
    const { images } = await removeNames(store, ["localhost/second:1"]);
    expect([...images].sort()).toEqual([index.digest, arm64?.digest ?? ""].sort());
    expect(await findBlob(store, index)).toBeUndefined();
    expect(await findImage(store, "localhost/part:1")).toEqual(amd64);
    expect((await measureStore(store)).orphaned).toBe(0);
  }));

test("a prune between the images and their index takes none of them away", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const images: Image[] = [];
    for (const architecture of ["amd64", "arm64"]) {
      // As a build does it: in a run of its own, which ends before the index is made.
      const inner = await beginRun(store);
      const image = await commitPlatform(inner, architecture, architecture);
      await run.reserve(image);
      await inner.end();
      await pruneStore(store, { usedBefore: Date.now() + 1000 });
      images.push(image);
    }
    const index = assembleIndex(images);
    await commitIndex(run, { index, names: [] });
    await commitIndex(run, { index, names: [name] });
    // The run holds the index itself, too.
    await removeName(store, name);
    await pruneStore(store, {});
    expect(await findBlob(store, index)).toBeDefined();
    await commitIndex(run, { index, names: [name] });
    await run.end();
    await pruneStore(store, {});
    expect(await findIndex(store, name)).toEqual(index);
  }));

test("an index of which a prune took an image gets no name", () =>
  withStore(async (store) => {
    const before = await commitTestImage(store, ["before"], { names: [name] });
    const index = await commitBoth(store, ["one", "two"], []);
    await pruneStore(store, {});
    const run = await beginRun(store);
    await expect(commitIndex(run, { index, names: [name] })).rejects.toMatchObject({
      code: "image-not-found",
    });
    await run.end();
    expect(await findNamed(store, name)).toBe(before.digest);
  }));

test.each(["the index", "a manifest", "a layer"])(
  "a flipped bit in %s is found, and told with the name",
  (what) =>
    withStore(async (store) => {
      const index = await commitBoth(store, ["one", "two"]);
      const image = index.images[1];
      const layer = image?.manifest.layers[0]?.digest;
      const digests = { "the index": index.digest, "a manifest": image?.digest, "a layer": layer };
      const path = blobPath(
        store,
        Object.entries(digests).find(([key]) => key === what)?.[1] ?? index.digest,
      );
      const bytes = await readFile(path);
      bytes[30] = (bytes[30] ?? 0) ^ 1;
      await writeFile(path, bytes);
      const lenient = { ...store, onDamage: () => {} };
      const findings = await checkStore(lenient);
      expect(findings[0]).toMatchObject({ code: "blob-damaged", names: [name] });
      await checkStore(lenient, { repair: true });
      expect(await findNamed(store, name)).toBeUndefined();
    }),
);

test("an exported index has all its images, and is read by its name", () =>
  withStore(async (store, directory) => {
    const index = await commitBoth(store, ["one", "two"], []);
    const out = join(directory, "out");
    await exportLayout(store, index, { directory: out, name: "first" });
    await exportLayout(store, index, { directory: out });
    expect(await validateLayout(out)).toEqual([]);
    const { manifests }: { manifests: Descriptor[] } = JSON.parse(
      await readFile(join(out, "index.json"), "utf8"),
    );
    expect(manifests.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
      [1, 2].map(() => [index.digest, "application/vnd.oci.image.index.v1+json"]),
    );
  }));

test("an index of BuildKit's, copied into the store: what it says of images is none, and stays", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const image = await commitPlatform(run, "amd64", "one");
    const attestation = await commitPlatform(run, "unknown", "statement");
    const statement = {
      ...describe(attestation),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image.digest,
      },
    };
    // The image's entry says no platform: its config does.
    const document = { schemaVersion: 2, manifests: [statement, describe(image)] };
    const bytes = encodeJson(document);
    const digest = digestBytes(bytes);
    await writeFile(blobPath(store, digest), bytes);
    const index = { ...assembleIndex([image]), bytes, digest };
    await writeFile(
      indexPath(store),
      encodeJson({
        schemaVersion: 2,
        manifests: [
          { ...describeIndex(index), annotations: { "org.opencontainers.image.ref.name": name } },
        ],
      }),
    );
    await run.end();
    expect(await findImage(store, name, linux("amd64"))).toEqual(image);
    expect(await findImage(store, name, linux("arm64"))).toBeUndefined();
    expect((await listImages(store))[0]?.images).toEqual([image]);
    await pruneStore(store, {});
    expect(await findBlob(store, attestation)).toBeDefined();
    expect(
      await findBlob(store, { digest: attestation.manifest.layers[0]?.digest ?? digest }),
    ).toBeDefined();
    expect((await measureStore(store)).orphaned).toBe(0);
  }));

function describe({ manifest, digest, manifestBytes }: Image): Descriptor {
  return { mediaType: manifest.mediaType, digest, size: manifestBytes.byteLength };
}
