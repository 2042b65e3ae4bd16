import type { ContextHash } from "../context/context.ts";
import { type Digest, digestBytes, type Json } from "../oci/oci.ts";
import { type BuildPlan, imageKey } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import type { BasesFacts } from "./base-facts.ts";
import { type Dependent, followTriggers } from "./follow-triggers.ts";
import type { BuildRequest } from "./request.ts";
import { assertBases, assertTriggers } from "./assert-bases.ts";
import { isPortable } from "./portable.ts";
import {
  listImages,
  nameBuilt,
  nameImage,
  type OutsideSource,
  pullOnce,
  resolveImages,
} from "./resolve-images.ts";
import { listSecretFiles } from "./secrets.ts";
import type { DirectoryRead } from "./select-directories.ts";
import type { StageImages, StageKeys } from "./stage-images.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** Changes whenever the same inputs may give another image: packing, assembly, the key itself. */
const keyVersion = 2;

/** What a build depends on, as far as it can be known before it runs. */
export interface BuildInputs {
  /**
   * Equal keys, equal results; undefined where a step's result cannot be known (an ADD of a URL). For other stages
   * their keys count, so that it is known before these are built.
   */
  readonly key: Digest | undefined;
  /** The same, where for other stages their images count: undefined before these are known. */
  readonly exactKey: Digest | undefined;
  /** Whether others may see the key: where an argument is secret, it is for this store alone. */
  readonly isPublic: boolean;
  /**
   * The same as `key` for every platform: undefined where a step reads something of the one that it is built for.
   */
  readonly portableKey: Digest | undefined;
  /** What the key is the digest of, part by part; argument values only as their digests. */
  readonly parts: KeyParts;
  /** IDs of the images that the build takes from outside, and of other stages', by their names (`nameImage`). */
  readonly images: ReadonlyMap<string, Digest>;
  /** Keys and images of the other stages that it uses, as far as they are known. */
  readonly keys: StageKeys;
  readonly stages: StageImages;
  /** Those of the images that the engine does not have yet: a registry told their IDs. */
  readonly pending: ReadonlySet<string>;
  /** Those that the engine need not have: their layers are read where they are. */
  readonly placed: ReadonlySet<string>;
  /** Where an engine elsewhere finds the images, by their keys. */
  readonly sources: ReadonlyMap<string, OutsideSource>;
  /** What is known of the images that stages stand on. */
  readonly facts: BasesFacts;
  /** The directories that the build reads; undefined where nobody can know them. */
  readonly reads: readonly DirectoryRead[] | undefined;
  /** What each of them was, by its role. */
  readonly directories: ReadonlyMap<string, ContextHash>;
  /** Digests of the arguments that the build declares, of those that were given. */
  readonly arguments: ReadonlyMap<string, string>;
  /** Files of secrets that were there: a step may do without one that is not. */
  readonly secrets: readonly string[];
}

/** The parts of a key by their names. */
export type KeyParts = { readonly [part: string]: Json };

/** What is built, and the keys of the other stages that it uses. */
export interface Wanted {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly keys: StageKeys;
}

/**
 * Finds out what the build depends on: resolves its images in the engine's storage (pulling what the policy asks for),
 * lets the triggers of its bases count, and hashes what it reads. Queries the engine, and builds nothing.
 * @returns the build, its plan with what triggers add to it
 */
export async function resolveInputs(
  { plan, request, keys }: Wanted,
  work: BuildWorkspace,
): Promise<Build> {
  assertBases(plan, request);
  const resolved = resolveImages(plan, { request }, work);
  const dependent = await followTriggers({ plan, request, resolved }, work);
  return describeInputs({ ...dependent, keys, stages: new Map() }, work);
}

/** The build when the engine has all images: pulls those that it has not. */
export async function pullPending(build: Build, work: BuildWorkspace): Promise<Build> {
  const { pending } = build.inputs;
  if (pending.size === 0) return build;
  const pulled = new Map<string, Digest>();
  const { plan, request } = build;
  // A tag may have moved on between the two questions.
  for (const [key, reference] of listImages(plan, request)) {
    if (!pending.has(key)) continue;
    const image = await pullOnce({ reference, plan, request }, work);
    pulled.set(key, image.id);
  }
  return describeAgain(build, { pulled, stages: new Map() }, work);
}

/** The build when the other stages that it uses are images, which may have triggers and variables. */
export async function addStages(
  build: Build,
  stages: StageImages,
  work: BuildWorkspace,
): Promise<Build> {
  if (stages.size === 0) return build;
  const complete = await describeAgain(build, { pulled: new Map(), stages }, work);
  const isExpected = JSON.stringify(complete.inputs.parts) === JSON.stringify(build.inputs.parts);
  const isKeyed = [...stages.values()].every((one) => one.isKeyed);
  // Where an image says more than the text of its stage, the stage's key does not stand for all of it.
  return isExpected && isKeyed
    ? complete
    : { ...complete, inputs: { ...complete.inputs, key: undefined, portableKey: undefined } };
}

interface News {
  /** IDs of images that the engine has now. */
  readonly pulled: ReadonlyMap<string, Digest>;
  readonly stages: StageImages;
}

async function describeAgain(
  { plan, request, inputs }: Build,
  { pulled, stages }: News,
  work: BuildWorkspace,
): Promise<Build> {
  const external = [...inputs.images, ...pulled];
  const resolved = new Map(
    external.map(([name, id]) => [
      name,
      {
        id,
        isHere: true,
        isPlaced: inputs.placed.has(name),
        source: inputs.sources.get(name),
      },
    ]),
  );
  const before = inputs.directories;
  const dependent = await followTriggers({ plan, request, resolved, stages, before }, work);
  return describeInputs({ ...dependent, keys: inputs.keys, stages }, work);
}

interface Described extends Dependent {
  readonly keys: StageKeys;
  readonly stages: StageImages;
}

async function describeInputs(described: Described, work: BuildWorkspace): Promise<Build> {
  const { plan, request, resolved, facts, reads, directories, bases, keys, stages } = described;
  const images = new Map([...resolved].map(([name, { id }]) => [name, id]));
  const pending = [...resolved].flatMap(([name, { isHere }]) => (isHere ? [] : [name]));
  const placed = [...resolved].flatMap(([name, one]) => (one.isPlaced === true ? [name] : []));
  const sources = [...resolved].flatMap(([name, { source }]): [string, OutsideSource][] =>
    source === undefined ? [] : [[name, source]],
  );
  const given = await hashArguments(plan, request, work.store);
  const found = { images, directories, arguments: given };
  assertTriggers(plan);
  const parts = describeKey(plan, request, found);
  const isKnown =
    reads !== undefined &&
    plan.dependencies.unpredictable.length === 0 &&
    bases.every((name) => facts.has(name));
  const ids = [...stages].map(([index, { image }]): [string, Digest] => [
    nameBuilt(index),
    image.manifest.config.digest,
  ]);
  return {
    plan,
    request,
    inputs: {
      ...found,
      images: new Map([...images, ...ids]),
      key: isKnown ? hashKey(parts, describeStageKeys(plan, keys)) : undefined,
      portableKey:
        isKnown && isPortable(plan) ? hashPortable(plan, { ...found, parts, keys }) : undefined,
      exactKey: isKnown ? hashKey(parts, describeStageImages(plan, stages)) : undefined,
      keys,
      stages,
      isPublic: listRedacted(request, plan).length === 0,
      parts,
      pending: new Set(pending),
      placed: new Set(placed),
      sources: new Map(sources),
      facts,
      reads,
      secrets: listSecretFiles(request.steps),
    },
  };
}

type StagePart = readonly (readonly [string, string])[] | undefined;

/** A part for each other stage; undefined where one is not known. */
function describeStageKeys({ dependencies }: BuildPlan, keys: StageKeys): StagePart {
  return joinParts(dependencies.built.map(({ index, name }) => [name, keys.get(index)?.key]));
}

function describeStageImages({ dependencies }: BuildPlan, stages: StageImages): StagePart {
  return joinParts(
    dependencies.built.map(({ index, name }) => [name, stages.get(index)?.image.digest]),
  );
}

function joinParts(parts: readonly (readonly [string, Digest | undefined])[]): StagePart {
  const known = parts.flatMap(([name, digest]): [string, string][] =>
    digest === undefined ? [] : [[name, digest]],
  );
  return known.length === parts.length ? known : undefined;
}

/** Whether FROM asks for the result's platform or another one is no matter. */
function hashPortable(
  { dependencies }: BuildPlan,
  { parts, keys, images: ids }: Pick<BuildInputs, "parts" | "keys" | "images">,
): Digest | undefined {
  const { platform: _, ...others } = parts;
  const images = dependencies.images.map((one) => {
    const name = [one.name, one.platform?.text ?? ""].join(" ");
    return [name, ids.get(imageKey(one)) ?? ""] as const;
  });
  const rest = { ...others, images: sortEntries(images) };
  const stages = dependencies.built.map(
    ({ index, name }) => [name, keys.get(index)?.portableKey] as const,
  );
  return hashKey(rest, joinParts(stages));
}

function hashKey(parts: KeyParts, stages: StagePart): Digest | undefined {
  if (stages === undefined) return undefined;
  return digestText(JSON.stringify(stages.length === 0 ? parts : { ...parts, stages }));
}

/** Names of secret arguments that the build declares. */
function listRedacted({ steps, reuse }: BuildRequest, plan: BuildPlan): readonly string[] {
  return [...reuse.redacted].filter(
    (name) => steps.buildArgs.has(name) && plan.dependencies.declaredArguments.has(name),
  );
}

function digestText(text: string): Digest {
  return digestBytes(new TextEncoder().encode(text));
}

function describeKey(
  plan: BuildPlan,
  request: BuildRequest,
  found: Pick<BuildInputs, "images" | "directories" | "arguments">,
): KeyParts {
  const { steps, image, layers } = request;
  const { images, directories } = found;
  return {
    version: keyVersion,
    texts: plan.dependencies.texts,
    ...(plan.dependencies.links.length === 0 ? {} : { links: plan.dependencies.links }),
    escape: plan.containerfile.escape,
    // Its place among them: stages that are not used may come and go.
    output: plan.needed.findIndex(({ stage }) => stage.index === plan.target.index),
    arguments: sortEntries([...found.arguments]),
    platform: steps.platform ?? null,
    images: sortEntries([...images]),
    ...describeContexts(plan, request),
    directories: sortEntries([...directories].map(([role, { digest }]) => [role, digest])),
    labels: sortEntries([...image.labels]),
    annotations: sortEntries(Object.entries(image.annotations)),
    epoch: steps.epoch ?? null,
    // The flag reaches the engine, which then gives its layers that time; the variable does not.
    timestamp: steps.timestamp,
    limits: [layers.maxLayers, layers.maxLayerSize, layers.allowDevices],
    flags: steps.flags.step,
  };
}

/** Which image each named context stands for, where some do. */
export function describeContexts(plan: BuildPlan, request: BuildRequest): KeyParts {
  const named = plan.dependencies.contexts.flatMap((name): [string, string][] => {
    const image = nameImage({ kind: "context", name }, request);
    return image === undefined ? [] : [[name, image]];
  });
  return named.length === 0 ? {} : { contexts: sortEntries(named) };
}

/** Digests of the arguments that the build declares; of secret ones under the store's own key. */
async function hashArguments(
  plan: BuildPlan,
  request: BuildRequest,
  store: Store,
): Promise<ReadonlyMap<string, string>> {
  const used = [...request.steps.buildArgs].filter(([name]) =>
    plan.dependencies.declaredArguments.has(name),
  );
  const redacted = new Set(listRedacted(request, plan));
  const hashSecret = redacted.size === 0 ? digestText : await openSecretHash(store);
  return new Map(
    used.map(([name, value]) => [name, redacted.has(name) ? hashSecret(value) : digestText(value)]),
  );
}

async function openSecretHash(store: Store): Promise<(value: string) => string> {
  const { openKeyedHash } = await import("../store/store.ts");
  return openKeyedHash(store);
}

/** By their names. */
export function sortEntries(entries: readonly (readonly [string, string])[]): Json {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
