import type { BuildPorts, BuildRequest } from "./request.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Digest, Json } from "../oci/oci.ts";
import { digestBytes } from "../oci/oci.ts";
import type { RunContext } from "../engine/engine.ts";
import type { Store } from "../store/store.ts";
import type { ContextHash } from "../context/context.ts";
import { hashDirectories } from "./directories.ts";
import { pullImage, resolveImages } from "./resolve-images.ts";
import { listSecretFiles } from "./secrets.ts";

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
export async function readInputs(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
): Promise<BuildInputs> {
  const context: RunContext = { log: ports.reporter.log, signal: ports.signal, directory: "" };
  const [resolved, directories] = await Promise.all([
    resolveImages(request, plan, ports, context),
    hashDirectories(store, request, plan, { signal: ports.signal }),
  ]);
  const images = new Map([...resolved].map(([name, { id }]) => [name, id]));
  const pending = [...resolved].flatMap(([name, { isHere }]) => (isHere ? [] : [name]));
  const known = directories ?? new Map<string, ContextHash>();
  const hash = await openArgumentHash(store, request, plan);
  const parts = describeKey(request, plan, images, known, hash);
  const isKnown = plan.unpredictable.length === 0 && directories !== undefined;
  return {
    key: isKnown ? digestText(JSON.stringify(parts)) : undefined,
    isPublic: listRedacted(request, plan).length === 0,
    parts,
    images,
    pending: new Set(pending),
    directories: known,
    secrets: listSecretFiles(request),
  };
}

/** Names of secret arguments that the build declares. */
function listRedacted(request: BuildRequest, plan: BuildPlan): readonly string[] {
  return [...request.redacted].filter(
    (name) => request.buildArgs.has(name) && plan.declaredArguments.has(name),
  );
}

type ArgumentHash = (name: string, value: string) => string;

/** Digests of arguments; of secret ones under the store's own key. */
async function openArgumentHash(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
): Promise<ArgumentHash> {
  const redacted = new Set(listRedacted(request, plan));
  if (redacted.size === 0) return (_, value) => digestText(value);
  const { openKeyedHash } = await import("../store/store.ts");
  const hash = await openKeyedHash(store);
  return (name, value) => (redacted.has(name) ? hash(value) : digestText(value));
}

/** The inputs when the engine has all images: pulls those that it has not. */
export async function pullPending(
  store: Store,
  inputs: BuildInputs,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
): Promise<BuildInputs> {
  if (inputs.pending.size === 0) return inputs;
  const context: RunContext = { log: ports.reporter.log, signal: ports.signal, directory: "" };
  const images = new Map(inputs.images);
  for (const name of inputs.pending) {
    images.set(name, await pullImage(name, request, ports, context, undefined));
  }
  // A tag may have moved on between the two questions.
  const hash = await openArgumentHash(store, request, plan);
  const parts = describeKey(request, plan, images, inputs.directories, hash);
  const key = inputs.key === undefined ? undefined : digestText(JSON.stringify(parts));
  return { ...inputs, key, parts, images, pending: new Set() };
}

function digestText(text: string): Digest {
  return digestBytes(new TextEncoder().encode(text));
}

function describeKey(
  request: BuildRequest,
  plan: BuildPlan,
  images: ReadonlyMap<string, Digest>,
  directories: ReadonlyMap<string, ContextHash>,
  hash: ArgumentHash,
): KeyParts {
  const used = [...request.buildArgs].filter(([name]) => plan.declaredArguments.has(name));
  return {
    version: keyVersion,
    texts: plan.texts,
    escape: plan.containerfile.escape,
    output: plan.target.stage.index,
    arguments: sortEntries(used.map(([name, value]) => [name, hash(name, value)])),
    platform: request.platform ?? null,
    images: sortEntries([...images]),
    directories: sortEntries([...directories].map(([role, { digest }]) => [role, digest])),
    labels: sortEntries([...request.labels]),
    annotations: sortEntries(Object.entries(request.annotations)),
    epoch: request.epoch ?? null,
    // The flag reaches the engine, which then gives its layers that time; the variable does not.
    timestamp: request.timestamp,
    limits: [request.maxLayers, request.maxLayerSize, request.allowDevices],
    flags: request.flags.step,
  };
}

function sortEntries(entries: readonly (readonly [string, string])[]): Json {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
