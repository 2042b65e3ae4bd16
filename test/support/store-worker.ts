// A process that works on a store until it is killed: node module.mjs STORE ID SEED [COUNT].
// It says `begin NAME DIGEST` before it commits and `done NAME DIGEST` after, so that whoever killed it
// knows which images a name may stand for.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assembleIndex } from "../../src/oci/assemble-index.ts";
import type { Image } from "../../src/oci/model.ts";
import { commitImage } from "../../src/store/images/commit.ts";
import { commitIndex } from "../../src/store/images/commit-index.ts";
import { exportLayout } from "../../src/store/images/export.ts";
import { findImage } from "../../src/store/images/images.ts";
import { tagName } from "../../src/store/images/names.ts";
import type { Store } from "../../src/store/layout/paths.ts";
import { pruneStore } from "../../src/store/maintenance/prune.ts";
import { findDeadRuns } from "../../src/store/runs/liveness.ts";
import { beginRun } from "../../src/store/runs/runs.ts";
import { readState } from "../../src/store/records/state.ts";
import { openStore } from "../../src/store/layout/open.ts";
import { createTestImage, createTestLayer, stageTestLayers } from "./images.ts";

const [directory = "", id = "", seed = "1", count = "1000000"] = process.argv.slice(2);
let state = Number(seed);

/** The same numbers for the same seed (mulberry32), below `limit`. */
function pick(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

async function buildOnce(store: Store, name: string, round: number): Promise<void> {
  const found = await findDeadRuns(store);
  for (const dead of (await found?.claim()) ?? []) await dead.remove();
  const run = await beginRun(store);
  await run.note("container", `${id}-${round}`);
  const previous = await findImage(store, name);
  if (previous !== undefined) await run.hold(previous);
  const contents = ["base", `shared-${pick(4)}`, `${id}-${round}-${seed}`];
  const layers = await Promise.all(contents.map((text) => createTestLayer(text, text.repeat(500))));
  const image = createTestImage(layers, { Labels: { round: String(round) } });
  const stagedBlobs = await stageTestLayers(layers, run.staging);
  const record = { key: image.digest, manifest: image.digest, names: [name] };
  const state = { keys: [id], directory: await writeSomeState(run), times: "any" } as const;
  const refs = [`${name}/stage`];
  process.stdout.write(`begin ${name} ${image.digest}\n`);
  await commitImage(run, { image, stagedBlobs, names: [name], records: [record], refs, state });
  process.stdout.write(`done ${name} ${image.digest}\n`);
  await run.end();
}

/** Images of two platforms, each in a run of its own, and the index of them, as a build does it. */
async function buildIndexOnce(store: Store, name: string, round: number): Promise<void> {
  const run = await beginRun(store);
  const images: Image[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const inner = await beginRun(store);
    const contents = ["base", `shared-${pick(4)}`, `${id}-${round}-${seed}-${architecture}`];
    const layers = await Promise.all(contents.map((text) => createTestLayer(text, text)));
    const image = createTestImage(layers, { Labels: { round: String(round) } }, architecture);
    const stagedBlobs = await stageTestLayers(layers, inner.staging);
    await run.reserve(image);
    await commitImage(inner, { image, stagedBlobs, names: [] });
    await inner.end();
    images.push(image);
  }
  const index = assembleIndex(images);
  process.stdout.write(`begin ${name} ${index.digest}\n`);
  await commitIndex(run, { index, names: [name] });
  process.stdout.write(`done ${name} ${index.digest}\n`);
  await run.end();
}

async function writeSomeState(run: Awaited<ReturnType<typeof beginRun>>): Promise<string> {
  await readState(run.store, id);
  const directory = join(run.directory, "state");
  await mkdir(directory);
  await writeFile(join(directory, "file"), id);
  return directory;
}

async function work(store: Store): Promise<void> {
  const own = `localhost/${id}:latest`;
  for (let round = 0; round < Number(count); round += 1) {
    const choice = pick(10);
    if (choice < 4) await buildOnce(store, own, round);
    else if (choice < 6) await buildIndexOnce(store, own, round);
    else if (choice < 7) await buildOnce(store, "localhost/shared:latest", round);
    else if (choice < 9) await pruneStore(store, {});
    else await useImage(store, own);
  }
}

async function useImage(store: Store, own: string): Promise<void> {
  const run = await beginRun(store);
  let image = await findImage(store, own);
  // Between finding and holding, another process may have given the name away and pruned the image.
  while (image !== undefined && !(await run.hold(image))) image = await findImage(store, own);
  if (image !== undefined) {
    await tagName(store, own, `localhost/${id}:copy`);
    await exportLayout(store, image, {
      directory: `${store.directory}-out-${id}`,
      name: "image",
    });
  }
  await run.end();
}

process.stdout.write("ready\n");
await work(await openStore(directory));
