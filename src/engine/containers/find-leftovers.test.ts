import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../../test/support/images.ts";
import { findLeftovers } from "./find-leftovers.ts";
import { readStorage } from "./storage-files.ts";

const run = "FROM localhost/xbuild-run-0123456789abcdef-base0:latest";
const tmp = `docker.io/library/${"a".repeat(64)}-tmp:latest`;
const envName = "localhost/xbuild-env:1";

interface Written {
  readonly names?: readonly string[];
  readonly earlier?: readonly string[];
  readonly comment?: string;
  readonly manifest?: object;
  readonly layer?: string;
  readonly digest?: string;
}

/** A storage as containers/storage writes it. The ID of an image says which one it is. */
async function writeStorage(root: string, images: readonly Written[]): Promise<void> {
  const list = [];
  for (const [index, one] of images.entries()) {
    const id = String(index).repeat(64);
    const directory = join(root, "vfs-images", id);
    await mkdir(directory, { recursive: true });
    const config = { history: [{ comment: one.comment }] };
    const file = `=${Buffer.from(`sha256:${id}`).toString("base64")}`;
    await writeFile(join(directory, file), JSON.stringify(config));
    await writeFile(join(directory, "manifest"), JSON.stringify(one.manifest ?? {}));
    const { names, earlier, layer = "layer", digest } = one;
    list.push({ id, names, "names-history": earlier, layer, digest });
  }
  await writeFile(join(root, "vfs-images", "images.json"), JSON.stringify(list));
}

async function find(images: readonly Written[]): Promise<readonly object[]> {
  let found: readonly object[] = [];
  await withTemporaryDirectory(async (root) => {
    await writeStorage(root, images);
    const files = await readStorage({ root, driver: "vfs" });
    found = (await findLeftovers(files)).map(({ id, isMade, isShared, isUsed }) => ({
      at: Number(id.slice(-1)),
      isMade,
      isShared,
      isUsed,
    }));
  });
  return found;
}

const ours = { isMade: true, isShared: false, isUsed: false };

test.each<readonly [string, Written, object | undefined]>([
  ["an environment", { names: [envName], comment: run }, ours],
  ["a base for a platform", { names: ["localhost/xbuild-base:1"] }, ours],
  [
    "a stage that was loaded",
    { names: [envName], manifest: { annotations: { "io.xbuild.key": "" } } },
    ours,
  ],
  ["somebody's base without a name", { names: [envName] }, { ...ours, isMade: false }],
  [
    "one with a name of the user's",
    { names: [envName, "app"], comment: run },
    { ...ours, isShared: true },
  ],
  [
    "one of a running build",
    { names: [envName, "localhost/xbuild-run-1:latest"], comment: run },
    { ...ours, isUsed: true },
  ],
  ["a step in the cache", { earlier: [tmp], comment: run }, ours],
  ["an environment that another one replaced", { earlier: [envName, tmp] }, ours],
  [
    "an image that only was a base of a run",
    { earlier: ["localhost/xbuild-run-1-base0:latest"] },
    undefined,
  ],
  [
    "an image of the user's that lost its name",
    { earlier: ["localhost/app:1"], comment: run },
    undefined,
  ],
  [
    "a step of somebody's",
    { earlier: [tmp], comment: "FROM docker.io/library/debian:12" },
    undefined,
  ],
  [
    "a name that only begins so",
    { names: ["localhost/xbuild-env-mine:1"], comment: run },
    undefined,
  ],
])("%s", async (_, image, expected) => {
  expect(await find([image])).toEqual(expected === undefined ? [] : [{ at: 0, ...expected }]);
});

test("an image of a manifest list is left alone", async () => {
  const digest = `sha256:${"d".repeat(64)}`;
  const list = { names: ["localhost/list:1"], layer: "", manifest: { manifests: [{ digest }] } };
  expect(await find([list, { names: [envName], comment: run, digest }])).toEqual([]);
});

test("a storage without anything, and one that is none", () =>
  withTemporaryDirectory(async (root) => {
    const empty = await readStorage({ root, driver: "overlay" });
    expect([empty.images, empty.layers.size, empty.containers]).toEqual([[], 0, []]);
    await mkdir(join(root, "overlay-images"));
    await writeFile(join(root, "overlay-images", "images.json"), "{}");
    await expect(readStorage({ root, driver: "overlay" })).rejects.toMatchObject({
      code: "engine-failed",
    });
  }));
