import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { commitRecorded, commitTestImage, withStore } from "../../../test/support/store.ts";
import { findImage, readImage } from "../images/images.ts";
import { findBlob } from "../blobs/blobs.ts";
import { tagImage } from "../images/names.ts";
import { blobPath, documentPath, type Store } from "../layout/paths.ts";
import { findRecord, findRef, putRef } from "../records/records.ts";
import { beginRun } from "../runs/runs.ts";
import { removeNames } from "./remove-names.ts";
import { measureTree } from "./usage.ts";

const [app, other] = ["localhost/app:latest", "localhost/other:latest"];

/** Names stand twice in the store, which is no room that an image takes. */
async function measure(store: Store): Promise<number> {
  const parts = ["blobs", "records", "locations", "state"];
  const sizes = await Promise.all(parts.map((one) => measureTree(`${store.directory}/${one}`)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test("the last name takes the image, its record and what no other image has", () =>
  withStore(async (store) => {
    const image = await commitRecorded(store, ["shared", "own"], "one", [app, other]);
    const second = await commitRecorded(store, ["shared"], "two");
    const first = await removeNames(store, [app]);
    expect(first).toEqual({
      names: [app],
      missing: [],
      images: [],
      staying: [{ digest: image.digest, reason: { kind: "named", name: other } }],
      freed: 0,
    });
    const before = await measure(store);
    const last = await removeNames(store, [other, app]);
    expect(last).toMatchObject({
      names: [other],
      missing: [app],
      images: [image.digest],
      staying: [],
    });
    expect(last.freed).toBe(before - (await measure(store)));
    expect(await findRecord(store, "one")).toBeUndefined();
    expect(await readImage(store, second.digest)).toEqual(second);
    const [shared, own] = image.manifest.layers;
    expect(shared && (await findBlob(store, shared))).toBeDefined();
    expect(own && (await findBlob(store, own))).toBeUndefined();
  }));

test("the last build of the name goes along, that of another target stays and is named", () =>
  withStore(async (store) => {
    const own = `${app}\nbuild\n`;
    const image = await commitTestImage(store, ["one"], { names: [app], refs: [own] });
    expect((await removeNames(store, [app])).images).toEqual([image.digest]);
    expect(await findRef(store, own)).toBeUndefined();
    const refs = ["/work/context\nbuild\n"];
    const again = await commitTestImage(store, ["one"], { names: [app], refs });
    expect((await removeNames(store, [app])).staying).toEqual([
      { digest: again.digest, reason: { kind: "last-build", of: "/work/context" } },
    ]);
    expect(await readImage(store, again.digest)).toEqual(again);
  }));

test("a last build stays as long as its image has any name, and goes with the last one", () =>
  withStore(async (store) => {
    const own = `${app}\nbuild\n`;
    const image = await commitTestImage(store, ["one"], { names: [app, other], refs: [own] });
    expect((await removeNames(store, [app])).images).toEqual([]);
    expect((await findRef(store, own))?.manifest).toBe(image.digest);
    expect((await removeNames(store, [other])).images).toEqual([image.digest]);
    expect(await findRef(store, own)).toBeUndefined();
  }));

test("the last build of a file stays, whatever tag it had, and is named", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [app] });
    const keys = [
      [["Containerfile", "/work", "", "linux/amd64"], "/work/Containerfile"],
      [["/files/x", "/work", "", "linux/amd64"], "/files/x"],
      [["-", "/work", "localhost/app", "", "linux/amd64"], "/work"],
      [["x", "https://h/r.git", "", "linux/amd64"], "https://h/r.git"],
    ] as const;
    for (const [parts, of] of keys) {
      const key = JSON.stringify(parts);
      await putRef(store, { key, manifest: image.digest });
      await tagImage(store, image, [app]);
      const { staying, images } = await removeNames(store, [app]);
      expect(staying).toEqual([{ digest: image.digest, reason: { kind: "last-build", of } }]);
      expect(images).toEqual([]);
      await rm(documentPath(store, "refs", key));
    }
    expect(await readImage(store, image.digest)).toEqual(image);
  }));

test("what a running build holds stays", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [app] });
    const run = await beginRun(store);
    await run.mustHold(image);
    const { staying, freed } = await removeNames(store, [app]);
    expect([staying, freed]).toEqual([[{ digest: image.digest, reason: { kind: "running" } }], 0]);
    expect(await readImage(store, image.digest)).toEqual(image);
    await run.end();
  }));

test("where another image is damaged, the name goes and no bytes; a damaged one itself goes", () =>
  withStore(async (store) => {
    const damaged = await commitTestImage(store, ["damaged"], { names: [other] });
    const image = await commitTestImage(store, ["one"], { names: [app] });
    await rm(blobPath(store, damaged.manifest.config.digest));
    const { staying, freed } = await removeNames(store, [app]);
    expect([staying, freed]).toEqual([[{ digest: image.digest, reason: { kind: "damaged" } }], 0]);
    expect(await findImage(store, app)).toBeUndefined();
    expect(await readImage(store, image.digest)).toEqual(image);
    expect((await removeNames(store, [other])).names).toEqual([other]);
  }));
