import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestImage, createTestLayer } from "../../../test/support/images.ts";
import { withStore } from "../../../test/support/store.ts";
import { commitImage } from "../images/commit.ts";
import { locateImage, narrowLocations } from "../../oci/locations.ts";
import { readLocations, writeLocations } from "./locations.ts";
import { removeName } from "../images/names.ts";
import { pruneStore } from "../maintenance/prune.ts";
import { beginRun } from "../runs/runs.ts";

async function makeImage(...contents: readonly string[]) {
  const layers = await Promise.all(contents.map((text) => createTestLayer(text, text)));
  return createTestImage(layers);
}

test("each layer is named once in a repository, by the first location that has it", async () => {
  const image = await makeImage("a", "b");
  const other = await makeImage("b", "c");
  const [a, b] = image.manifest.layers.map((layer) => layer.digest);
  const known = [
    locateImage(image, "r/new"),
    locateImage(image, "r/old"),
    locateImage(other, "r/new"),
  ];
  expect(narrowLocations(known, image)).toEqual([
    { repository: "r/new", manifest: image.digest, layers: [a, b] },
    { repository: "r/old", manifest: image.digest, layers: [a, b] },
  ]);
  expect(narrowLocations(known, other)).toEqual([
    { repository: "r/new", manifest: image.digest, layers: [b] },
    { repository: "r/old", manifest: image.digest, layers: [b] },
    {
      repository: "r/new",
      manifest: other.digest,
      layers: other.manifest.layers.slice(1).map((layer) => layer.digest),
    },
  ]);
});

test("when layers were seen is told of the same repository and manifest alone, and kept", () =>
  withStore(async (store) => {
    const image = await makeImage("a", "b");
    const known = [
      locateImage(image, "r/app"),
      locateImage(image, "r/other"),
      { ...locateImage(image, "r/app"), checked: 5 },
    ];
    const narrowed = narrowLocations(known, image);
    expect(narrowed).toEqual([
      { ...locateImage(image, "r/app"), checked: 5 },
      locateImage(image, "r/other"),
    ]);
    await writeLocations(store, image.digest, narrowed);
    expect(await readLocations(store, image.digest)).toEqual(narrowed);
  }));

test("they are kept with the image, and go with it", () =>
  withStore(async (store) => {
    const image = await makeImage("a");
    const run = await beginRun(store);
    const locations = [locateImage(image, "registry.example/app")];
    await commitImage(run, { image, stagedBlobs: [], names: ["localhost/a:latest"], locations });
    await run.end();
    expect(await readLocations(store, image.digest)).toEqual(locations);
    await pruneStore(store, {});
    expect(await readLocations(store, image.digest)).toEqual(locations);
    await removeName(store, "localhost/a:latest");
    await pruneStore(store, {});
    expect(await readdir(join(store.directory, "locations"))).toEqual([]);
    expect(await readLocations(store, image.digest)).toEqual([]);
  }));

test("what is not what we wrote counts as unknown", () =>
  withStore(async (store) => {
    const image = await makeImage("a");
    const wrong = [{ repository: 1, manifest: image.digest, layers: [] }];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as another version may have it
    await writeLocations(store, image.digest, wrong as never);
    expect(await readLocations(store, image.digest)).toEqual([]);
  }));
