import { type Image, renderPlatform } from "../oci/oci.ts";
import {
  type BuildRecord,
  findLastRecord,
  findRef,
  readImage,
  type Store,
} from "../store/store.ts";
import type { Build } from "./workspace.ts";

/** A stage whose last builds are looked for. */
export type NamedStage = Pick<Build, "plan" | "request">;

/** What the last builds of a stage on this machine are known by in the store: its refs and its states. */
interface BuildKeys {
  /** Whatever tag they had: file, context, stage and platform. */
  readonly source: string;
  /** The call's first name, stage and platform; where it has none, the context's path, as older versions had it. */
  readonly name: string;
  /** Whether that is a tag: else it is only read. */
  readonly hasTag: boolean;
}

function nameBuild({ plan, request }: NamedStage): BuildKeys {
  const { steps, reuse } = request;
  const { stage } = plan.target.resolved;
  const text = stage.name ?? String(stage.index);
  return {
    source: nameSource({ plan, request }, stage.index),
    name: [steps.cacheKey, text, steps.platform ?? ""].join("\n"),
    hasTag: reuse.names.length > 0,
  };
}

/** A stage without a name is known as the last one, which it stays when others are put before it, or by its number. */
function nameSource({ plan, request: { reuse } }: NamedStage, index: number): string {
  const { stages } = plan.graph;
  const name = stages[index]?.stage.name ?? (index === stages.length - 1 ? "" : String(index));
  return JSON.stringify([...reuse.source, name, renderPlatform(reuse.platform)]);
}

/** The keys that a build of the stage is kept under. */
export function listBuildKeys(build: NamedStage): readonly [string, ...string[]] {
  const { source, name, hasTag } = nameBuild(build);
  return hasTag ? [source, name] : [source];
}

/** That under its tag is the nearest; under a new tag, or none, the last of the same file is. */
export function listByNearness(build: NamedStage): readonly string[] {
  const { source, name, hasTag } = nameBuild(build);
  return hasTag ? [name, source] : [source, name];
}

/** The record of the stage's last build. */
export function findLastBuildRecord(
  build: NamedStage,
  store: Store,
): Promise<BuildRecord | undefined> {
  return findFirst(listByNearness(build), (key) => findLastRecord(store, key));
}

/** The image of the stage's last build, where it is still here. */
export function findLastImage(build: NamedStage, store: Store): Promise<Image | undefined> {
  return findFirst(listByNearness(build), (key) => readReferred(key, store));
}

/** The image of the last build of the file's target, whatever tag it had, or none. */
export function findLastTarget(build: NamedStage, store: Store): Promise<Image | undefined> {
  return readReferred(nameSource(build, build.plan.graph.target), store);
}

async function readReferred(key: string, store: Store): Promise<Image | undefined> {
  const ref = await findRef(store, key);
  return ref === undefined ? undefined : readImage(store, ref.manifest);
}

/** By the first of the keys that has something. */
export async function findFirst<T>(
  keys: readonly string[],
  find: (key: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const key of keys) {
    const found = await find(key);
    if (found !== undefined) return found;
  }
  return undefined;
}
