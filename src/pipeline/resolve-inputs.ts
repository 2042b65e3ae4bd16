import type { ContextHash } from "../context/context.ts";
import { type Digest, digestBytes, type Json } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import { hashDirectories } from "./hash-directories.ts";
import type { BuildRequest } from "./request.ts";
import { pullImage, resolveImages } from "./resolve-images.ts";
import { listSecretFiles } from "./secrets.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** Changes whenever the same inputs may give another image: packing, assembly, the key itself. */
const keyVersion = 1;

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
  /** What each directory was, by its role. */
  readonly directories: ReadonlyMap<string, ContextHash>;
  /** Files of secrets that were there: a step may do without one that is not. */
  readonly secrets: readonly string[];
}

/** The parts of a key by their names. */
export type KeyParts = { readonly [part: string]: Json };

/**
 * Finds out what the build depends on: resolves its images in the engine's storage (pulling what
 * the policy asks for) and hashes its context. Queries the engine, and builds nothing.
 */
export async function resolveInputs(
  plan: BuildPlan,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<BuildInputs> {
  const [resolved, directories] = await Promise.all([
    resolveImages(plan, request, work),
    hashDirectories(plan, request, work),
  ]);
  const images = new Map([...resolved].map(([name, { id }]) => [name, id]));
  const pending = [...resolved].flatMap(([name, { isHere }]) => (isHere ? [] : [name]));
  const known = directories ?? new Map<string, ContextHash>();
  const parts = await describeKey(plan, request, {
    images,
    directories: known,
    store: work.store,
  });
  const isKnown = plan.unpredictable.length === 0 && directories !== undefined;
  return {
    key: isKnown ? digestText(JSON.stringify(parts)) : undefined,
    isPublic: listRedacted(request, plan).length === 0,
    parts,
    images,
    pending: new Set(pending),
    directories: known,
    secrets: listSecretFiles(request.steps),
  };
}

/** Names of secret arguments that the build declares. */
function listRedacted({ steps, reuse }: BuildRequest, plan: BuildPlan): readonly string[] {
  return [...reuse.redacted].filter(
    (name) => steps.buildArgs.has(name) && plan.declaredArguments.has(name),
  );
}

/** The build when the engine has all images: pulls those that it has not. */
export async function pullPending(build: Build, work: BuildWorkspace): Promise<Build> {
  const { plan, request, inputs } = build;
  if (inputs.pending.size === 0) return build;
  const images = new Map(inputs.images);
  for (const name of inputs.pending) images.set(name, await pullImage(name, request, work));
  // A tag may have moved on between the two questions.
  const { directories } = inputs;
  const parts = await describeKey(plan, request, { images, directories, store: work.store });
  const key = inputs.key === undefined ? undefined : digestText(JSON.stringify(parts));
  return { ...build, inputs: { ...inputs, key, parts, images, pending: new Set() } };
}

function digestText(text: string): Digest {
  return digestBytes(new TextEncoder().encode(text));
}

/** What is found outside of the file and the command line. */
interface Findings extends Pick<BuildInputs, "images" | "directories"> {
  readonly store: Store;
}

async function describeKey(
  plan: BuildPlan,
  request: BuildRequest,
  { images, directories, store }: Findings,
): Promise<KeyParts> {
  const { steps, image, layers } = request;
  return {
    version: keyVersion,
    texts: plan.texts,
    escape: plan.containerfile.escape,
    output: plan.target.index,
    arguments: await hashArguments(plan, request, store),
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
async function hashArguments(plan: BuildPlan, request: BuildRequest, store: Store): Promise<Json> {
  const used = [...request.steps.buildArgs].filter(([name]) => plan.declaredArguments.has(name));
  const redacted = new Set(listRedacted(request, plan));
  const hashSecret = redacted.size === 0 ? digestText : await openSecretHash(store);
  return sortEntries(
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
