import type { Digest, Image } from "../oci/oci.ts";
import { type BuildRecord, findRecord } from "../store/store.ts";
import { takeRecorded } from "./find-built.ts";
import { readUsed } from "./records.ts";
import type { StageInputs } from "./stage-inputs.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/**
 * The image that a build of the same gave, as `findBuilt`; undefined where a stage that it was made with has come to
 * another image since: --no-cache makes one anew of what it was made of before.
 */
export async function findCurrent(
  build: Build,
  inputs: StageInputs,
  work: BuildWorkspace,
): Promise<Image | undefined> {
  const { key } = build.inputs;
  const record = key === undefined ? undefined : await findRecord(work.store, key);
  if (record === undefined) return undefined;
  const isComposed = build.plan.dependencies.built.length > 0;
  if (isComposed && (await isStale(build, { record, inputs }, work))) return undefined;
  return takeRecorded(record, work);
}

interface Recorded {
  readonly record: BuildRecord;
  readonly inputs: StageInputs;
}

async function isStale(
  { plan }: Build,
  { record, inputs }: Recorded,
  work: BuildWorkspace,
): Promise<boolean> {
  const used = readUsed(record);
  const now = await Promise.all(
    plan.dependencies.built.map(({ index }) => findManifest(index, inputs, work)),
  );
  return now.some((digest, at) => {
    const then = used[at] ?? "";
    return digest === "stale" || (digest !== undefined && then !== "" && then !== digest);
  });
}

/** What a stage came to the last time; undefined where nobody knows. */
async function findManifest(
  index: number,
  inputs: StageInputs,
  work: BuildWorkspace,
): Promise<Digest | "stale" | undefined> {
  const build = await inputs.resolve(index);
  const { key } = build.inputs;
  const record = key === undefined ? undefined : await findRecord(work.store, key);
  if (record === undefined) return undefined;
  const stale = await inputs.once(index, () => isStale(build, { record, inputs }, work));
  return stale ? "stale" : record.manifest;
}
