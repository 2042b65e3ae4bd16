import type { ContextHash } from "../context/context.ts";
import { type Digest, digestBytes, type Json } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import type { BasesFacts } from "./base-facts.ts";
import { type Dependent, followTriggers } from "./follow-triggers.ts";
import type { BuildRequest } from "./request.ts";
import { pullImage, resolveImages } from "./resolve-images.ts";
import { listSecretFiles } from "./secrets.ts";
import type { DirectoryRead } from "./select-directories.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** Changes whenever the same inputs may give another image: packing, assembly, the key itself. */
const keyVersion = 2;

/** What a build depends on, as far as it can be known before it runs. */
export interface BuildInputs {
  /** Equal keys, equal results; undefined where a step's result cannot be known (an ADD of a URL). */
  readonly key: Digest | undefined;
  /** Whether others may see the key: where an argument is secret, it is for this store alone. */
  readonly isPublic: boolean;
  /** What the key is the digest of, part by part; argument values only as their digests. */
  readonly parts: KeyParts;
  /** IDs of the images that the build takes from outside, by their names in the file. */
  readonly images: ReadonlyMap<string, Digest>;
  /** Those of them that the engine does not have yet: a registry told their IDs. */
  readonly pending: ReadonlySet<string>;
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

/**
 * Finds out what the build depends on: resolves its images in the engine's storage (pulling what the policy asks for),
 * lets the triggers of its bases count, and hashes what it reads. Queries the engine, and builds nothing.
 * @returns the build, its plan with what triggers add to it
 */
export async function resolveInputs(
  plan: BuildPlan,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<Build> {
  const resolved = resolveImages(plan, { request }, work);
  return describeInputs(await followTriggers({ plan, request, resolved }, work), work);
}

/** The build when the engine has all images: pulls those that it has not. */
export async function pullPending(build: Build, work: BuildWorkspace): Promise<Build> {
  const { plan, request, inputs } = build;
  if (inputs.pending.size === 0) return build;
  const images = new Map([...inputs.images].map(([name, id]) => [name, { id, isHere: true }]));
  // A tag may have moved on between the two questions.
  for (const name of inputs.pending) {
    images.set(name, { id: await pullImage(name, request, work), isHere: true });
  }
  const before = inputs.directories;
  const dependent = await followTriggers({ plan, request, resolved: images, before }, work);
  return describeInputs(dependent, work);
}

async function describeInputs(dependent: Dependent, work: BuildWorkspace): Promise<Build> {
  const { plan, request, resolved, facts, reads, directories } = dependent;
  const images = new Map([...resolved].map(([name, { id }]) => [name, id]));
  const pending = [...resolved].flatMap(([name, { isHere }]) => (isHere ? [] : [name]));
  const given = await hashArguments(plan, request, work.store);
  const found = { images, directories, arguments: given };
  const parts = describeKey(plan, request, found);
  const isKnown = reads !== undefined && plan.dependencies.unpredictable.length === 0;
  const areFactsKnown = facts.size === dependent.bases.length;
  return {
    plan,
    request,
    inputs: {
      ...found,
      key: isKnown && areFactsKnown ? digestText(JSON.stringify(parts)) : undefined,
      isPublic: listRedacted(request, plan).length === 0,
      parts,
      pending: new Set(pending),
      facts,
      reads,
      secrets: listSecretFiles(request.steps),
    },
  };
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
    escape: plan.containerfile.escape,
    output: plan.target.index,
    arguments: sortEntries([...found.arguments]),
    platform: steps.platform ?? null,
    images: sortEntries([...images]),
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

function sortEntries(entries: readonly (readonly [string, string])[]): Json {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
