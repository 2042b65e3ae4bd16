import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createTestImage, createTestLayer, stageTestLayers } from "../../../test/support/images.ts";
import { commitTestImage, withStore } from "../../../test/support/store.ts";
import { digestHex } from "../../oci/digest.ts";
import { withLock } from "../../system/lock.ts";
import { commitImage } from "../images/commit.ts";
import { exportLayout } from "../images/export.ts";
import { findImage, listImages, readImage } from "../images/images.ts";
import { removeName, tagImage, tagName } from "../images/names.ts";
import { blobPath, type Store } from "./paths.ts";
import { findRecord, findRef } from "../records/records.ts";
import { beginRun, type Run } from "../runs/runs.ts";
import { readState } from "../records/state.ts";
import { openStore } from "./open.ts";
import { findBlob } from "../blobs/blobs.ts";
import { putTree, treePath } from "../records/trees.ts";

const run = promisify(execFile);
const name = "localhost/app:latest";

test("a store that was never written to has nothing and makes nothing", () =>
  withStore(async (store, directory) => {
    expect(await findImage(store, name)).toBeUndefined();
    expect(await listImages(store)).toEqual([]);
    expect(await findRecord(store, "key")).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
  }));

test("an image comes back as it was committed, for us and for skopeo", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one", "two"], { names: [name] });
    expect(await findImage(store, name)).toEqual(image);
    const reference = `oci:${store.directory}:${name}`;
    const { stdout } = await run("skopeo", ["inspect", reference]);
    const inspected: unknown = JSON.parse(stdout);
    expect(inspected).toMatchObject({
      Digest: image.digest,
      Layers: image.manifest.layers.map((layer) => layer.digest),
    });
    expect((await readdir(join(store.directory, "tmp"))).length).toBe(0);
  }));

test("a store is its owner's alone, and its blobs are for every user of a container, whatever the umask", () =>
  withStore(async (store) => {
    const before = process.umask(0o077);
    try {
      const image = await commitTestImage(store, ["one"], { names: [name] });
      const layer = image.manifest.layers[0];
      const paths = [blobPath(store, layer?.digest ?? image.digest), blobPath(store, image.digest)];
      const files = [...paths, join(store.directory, "index.json")];
      const modes = await Promise.all(files.map(async (path) => (await stat(path)).mode & 0o777));
      expect(modes).toEqual([0o644, 0o644, 0o644]);
      const directories = ["", "blobs", "blobs/sha256"].map((path) => join(store.directory, path));
      const open = await Promise.all(
        directories.map(async (path) => (await stat(path)).mode & 0o777),
      );
      expect(open).toEqual([0o700, 0o700, 0o700]);
    } finally {
      process.umask(before);
    }
  }));

test("a name moves to the new image, and the others stay", () =>
  withStore(async (store) => {
    const first = await commitTestImage(store, ["one"], { names: [name, "localhost/app:1"] });
    const second = await commitTestImage(store, ["one", "two"], { names: [name] });
    expect((await findImage(store, name))?.digest).toBe(second.digest);
    expect((await findImage(store, "localhost/app:1"))?.digest).toBe(first.digest);
    await removeName(store, name);
    expect(await findImage(store, name)).toBeUndefined();
    await tagName(store, "localhost/app:1", "localhost/other:2");
    await tagImage(store, second, ["localhost/app:3"]);
    const listed = await listImages(store);
    expect(listed.map((item) => [item.name, item.digest])).toEqual([
      ["localhost/app:1", first.digest],
      ["localhost/app:3", second.digest],
      ["localhost/other:2", first.digest],
    ]);
  }));

test.each([
  ["tagName", (store: Store) => tagName(store, "localhost/no:1", name)],
  ["removeName", (store: Store) => removeName(store, "localhost/no:1")],
])("%s of a name that is not there says so", (_title, action) =>
  withStore(async (store) => {
    await expect(action(store)).rejects.toMatchObject({ code: "image-not-found" });
    await commitTestImage(store, ["one"], { names: [name] });
    await expect(action(store)).rejects.toMatchObject({ code: "image-not-found" });
  }),
);

test("records and refs come back, and are forgotten when they are not ours to understand", () =>
  withStore(async (store) => {
    const layer = await createTestLayer("one", "one");
    const image = createTestImage([layer]);
    const ours = await beginRun(store);
    const record = { key: "k", manifest: image.digest, names: [name], details: { base: "x" } };
    const stagedBlobs = await stageTestLayers([layer], ours.staging);
    await commitImage(ours, { image, stagedBlobs, names: [], records: [record], refs: ["stage"] });
    expect(await findRecord(store, "k")).toEqual(record);
    expect(await findRef(store, "stage")).toEqual({
      key: "stage",
      manifest: image.digest,
      record: "k",
    });
    const [file = ""] = await readdir(join(store.directory, "records"));
    const path = join(store.directory, "records", file);
    const text = await readFile(path, "utf8");
    const changes = [text.replace('"version":1', '"version":2'), text.replace('"x"', '"y"'), "{"];
    for (const changed of changes) {
      await writeFile(path, changed);
      expect(await findRecord(store, "k")).toBeUndefined();
    }
  }));

test("a staged blob of the wrong size is refused and changes nothing", () =>
  withStore(async (store) => {
    const before = await commitTestImage(store, ["one"], { names: [name] });
    const layer = await createTestLayer("two", "two");
    const ours = await beginRun(store);
    const stagedBlobs = await stageTestLayers([layer], ours.staging);
    await writeFile(stagedBlobs[0]?.path ?? "", "x", { flag: "a" });
    const input = { image: createTestImage([layer]), stagedBlobs, names: [name] };
    await expect(commitImage(ours, input)).rejects.toMatchObject({ code: "store-damaged" });
    expect((await findImage(store, name))?.digest).toBe(before.digest);
    expect(await findBlob(store, { digest: layer.digest })).toBeUndefined();
  }));

/** Commits an image with this state, of the key `k`. */
async function commitState(ours: Run, text: string): Promise<void> {
  const directory = join(ours.staging, "state");
  await mkdir(join(directory, "deep"), { recursive: true });
  await writeFile(join(directory, "deep", "file"), text);
  const layer = await createTestLayer("one", "one");
  const stagedBlobs = await stageTestLayers([layer], ours.staging);
  const state = { keys: ["k"], directory, times: "any" } as const;
  await commitImage(ours, { image: createTestImage([layer]), stagedBlobs, names: [], state });
}

test("state is replaced as a whole", () =>
  withStore(async (store) => {
    const ours = await beginRun(store);
    expect(await readState(store, "k")).toBeUndefined();
    await commitState(ours, "1");
    const first = (await readState(store, "k"))?.directory ?? "";
    expect(await readFile(join(first, "deep", "file"), "utf8")).toBe("1");
    await commitState(ours, "2");
    const second = (await readState(store, "k"))?.directory ?? "";
    expect(await readFile(join(second, "deep", "file"), "utf8")).toBe("2");
    expect((await readdir(join(store.directory, "state"))).length).toBe(2);
    await ours.end();
  }));

test("a state that another run may be reading stays", () =>
  withStore(async (store) => {
    const [ours, other] = [await beginRun(store), await beginRun(store)];
    await commitState(ours, "1");
    const read = (await readState(store, "k"))?.directory ?? "";
    await commitState(ours, "2");
    expect(await readFile(join(read, "deep", "file"), "utf8")).toBe("1");
    await other.end();
    await commitState(ours, "3");
    await expect(stat(read)).rejects.toMatchObject({ code: "ENOENT" });
  }));

test("exported layouts keep their other names and are read by skopeo", () =>
  withStore(async (store, directory) => {
    const out = join(directory, "out");
    const one = await commitTestImage(store, ["one"], { names: [name] });
    const two = await commitTestImage(store, ["one", "two"], { names: [name] });
    await exportLayout(store, one, { directory: out, name: "first" });
    await exportLayout(store, two, { directory: out, name: "second" });
    await exportLayout(store, two, { directory: out });
    await exportLayout(store, one, { directory: out });
    const { stdout } = await run("skopeo", ["inspect", `oci:${out}:first`]);
    expect(JSON.parse(stdout)).toMatchObject({ Digest: one.digest });
    const index = JSON.parse(await readFile(join(out, "index.json"), "utf8"));
    expect(index).toMatchObject({
      manifests: [{ digest: one.digest }, { digest: two.digest }, { digest: one.digest }],
    });
    await run("skopeo", ["copy", "-q", `oci:${out}:second`, `dir:${join(directory, "copy")}`]);
  }));

test("a layout of a run's own is the store's files, and waits for nobody's lock", () =>
  withStore(async (store, directory) => {
    const out = join(directory, "ours");
    await mkdir(out);
    const image = await commitTestImage(store, ["one", "two"], { names: [name] });
    const options = { directory: out, name: "first", isOurs: true };
    await withLock(out, () => exportLayout(store, image, options));
    const { stdout } = await run("skopeo", ["inspect", `oci:${out}:first`]);
    expect(JSON.parse(stdout)).toMatchObject({ Digest: image.digest });
    expect((await readdir(join(out, "blobs/sha256"))).sort()).toEqual(
      [...image.manifest.layers, image.manifest.config, image]
        .map(({ digest }) => digestHex(digest))
        .sort(),
    );
  }));

test("an image with a layer that is elsewhere is committed, and not exported", () =>
  withStore(async (store, directory) => {
    const layer = await createTestLayer("far", "far");
    const ours = await beginRun(store);
    const image = createTestImage([layer]);
    await commitImage(ours, { image, stagedBlobs: [], names: [name] });
    expect((await readImage(store, image.digest))?.digest).toBe(image.digest);
    const exported = exportLayout(store, image, { directory: join(directory, "out") });
    await expect(exported).rejects.toMatchObject({ code: "image-incomplete" });
    await expect(stat(join(directory, "out"))).rejects.toMatchObject({ code: "ENOENT" });
  }));

test.each(["manifest", "config"] as const)("a flipped bit in the %s is found and named", (which) =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    const digest = which === "manifest" ? image.digest : image.manifest.config.digest;
    const bytes = await readFile(blobPath(store, digest));
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(blobPath(store, digest), bytes);
    await expect(findImage(store, name)).rejects.toMatchObject({
      code: "store-damaged",
      message: expect.stringContaining(digestHex(digest)),
    });
    const seen: string[] = [];
    const tolerant = await openStore(store.directory, { onDamage: (e) => seen.push(e.code) });
    expect(await findImage(tolerant, name)).toBeUndefined();
    expect(seen).toEqual(["store-damaged"]);
    await commitTestImage(store, ["one"], { names: [name] });
    expect(await findImage(store, name)).toEqual(image);
  }),
);

test("a directory with other things in it is never made a store", () =>
  withStore(async (store, directory) => {
    await writeFile(join(directory, "letter"), "dear");
    const wrong = await openStore(directory);
    await expect(beginRun(wrong)).rejects.toMatchObject({ code: "store-not-writable" });
    expect(await readdir(directory)).toEqual(["letter"]);
    expect(store.directory).toBe(join(directory, "store"));
  }));

function failToWrite(path: string): never {
  writeFileSync(path, "two");
  throw new Error("the disk is full");
}

test("what a context was is kept by its digest, whole or not at all", () =>
  withStore(async (store) => {
    const digest = `sha256:${"0".repeat(64)}` as const;
    await putTree(store, { digest, write: (path) => writeFileSync(path, "one") });
    expect(await readFile(treePath(store, digest), "utf8")).toBe("one");
    await expect(putTree(store, { digest, write: failToWrite })).rejects.toThrow(
      "the disk is full",
    );
    expect(await readFile(treePath(store, digest), "utf8")).toBe("one");
    expect(await readdir(join(store.directory, "tmp"))).toEqual([]);
  }));
