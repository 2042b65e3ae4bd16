import { type Digest, digestBytes } from "../oci/oci.ts";
import { type BuildPlan, narrowPlan, type StagePlan } from "../plan/plan.ts";
import { findKnown, keepKnown } from "../store/store.ts";
import { listBaseNames } from "./base-facts.ts";
import { hashDirectories } from "./hash-directories.ts";
import { listImages, nameBuilt } from "./resolve-images.ts";
import { describeContexts, sortEntries } from "./resolve-inputs.ts";
import { selectDirectories } from "./select-directories.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** Changes whenever equal parts may give another image. */
const keyVersion = 1;

/** A stage that the engine has made, or that it need not make again. */
export interface EvaluatedStage {
  readonly index: number;
  /** The image's. */
  readonly id: Digest;
  /** What the image is made of; undefined where nobody knows. */
  readonly key?: Digest | undefined;
  /** The image that stood for the key before. */
  readonly known?: Digest | undefined;
}

/** What a stage is made of, and the image that it came to the last time, if anybody knows. */
export async function lookUpStage(
  build: Build,
  stage: StagePlan,
  work: BuildWorkspace,
): Promise<Pick<EvaluatedStage, "key" | "known">> {
  const key = await hashStage(build, stage, work);
  const { noCache } = build.request.steps;
  const known =
    key === undefined || noCache ? undefined : await findKnown(work.store, "stage", key);
  return { key, known };
}

/** So that the next build need not ask the engine, where all that is read is still as it was when the key was made. */
export async function rememberStages(
  { inputs: { key, exactKey } }: Build,
  stages: readonly EvaluatedStage[],
  { store }: BuildWorkspace,
): Promise<void> {
  if (key === undefined && exactKey === undefined) return;
  for (const one of stages) {
    if (one.key !== undefined && one.id !== one.known)
      await keepKnown(store, "stage", { key: one.key, value: one.id });
  }
}

/**
 * A digest of all that the image of one stage depends on, as the build's key is one of the whole; undefined where nobody
 * can know it. What only the steps behind OUTPUT read is not in it.
 */
async function hashStage(
  build: Build,
  stage: StagePlan,
  work: BuildWorkspace,
): Promise<Digest | undefined> {
  const { request, inputs } = build;
  const plan = narrowPlan(build.plan, stage);
  const reads = selectDirectories(plan, request, inputs.facts);
  const images = listIds(plan, build);
  const isKnown =
    plan.dependencies.unpredictable.length === 0 &&
    listBaseNames(plan, request).every((name) => inputs.facts.has(name));
  if (reads === undefined || images === undefined || !isKnown) return undefined;
  // A hash of its own: another build of this command may have had it made at another time than this build's inputs.
  const shared = { ...work.shared, hashDirectory: hashAnew };
  const directories = await hashDirectories(reads, request, { ...work, shared });
  const { declaredArguments, texts, links } = plan.dependencies;
  const { timestamp, epoch, platform, flags } = request.steps;
  const hasEpoch = timestamp || declaredArguments.has("SOURCE_DATE_EPOCH");
  const parts = [
    keyVersion,
    work.engine.name,
    plan.containerfile.escape,
    [texts, links],
    sortEntries([...inputs.arguments].filter(([name]) => declaredArguments.has(name))),
    platform ?? null,
    sortEntries(images),
    describeContexts(plan, request),
    sortEntries([...directories].map(([role, { digest }]) => [role, digest])),
    [timestamp, hasEpoch ? (epoch ?? null) : null],
    flags.step,
  ];
  return digestBytes(Buffer.from(JSON.stringify(parts)));
}

function hashAnew<T>(_: string, hash: () => Promise<T>): Promise<T> {
  return hash();
}

/** IDs of the images that the stage takes from outside, and of other stages'; undefined where one is not known. */
function listIds(
  plan: BuildPlan,
  { request, inputs }: Build,
): readonly (readonly [string, Digest])[] | undefined {
  const names = [
    ...listImages(plan, request).keys(),
    ...plan.dependencies.built.map(({ index }) => nameBuilt(index)),
  ];
  const ids = names.flatMap((name): readonly (readonly [string, Digest])[] => {
    const id = inputs.images.get(name);
    return id === undefined ? [] : [[name, id]];
  });
  return ids.length === names.length ? ids : undefined;
}
