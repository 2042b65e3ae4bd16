import type { Reference } from "../containerfile/containerfile.ts";
import { splitReference } from "../copy/copy.ts";
import { restateError, XbuildError } from "../errors.ts";
import {
  type Digest,
  isLocalName,
  parsePlatform,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { type BuildPlan, imageKey, type ImageReference } from "../plan/plan.ts";
import { suggestName } from "../suggest.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** Images by their keys (`imageKey`). */
export type ResolvedImages = ReadonlyMap<string, ResolvedImage>;

/** Whether a transport says where an image is: in no registry and not under a name in the engine's storage. */
export function isElsewhere(name: string): boolean {
  return splitReference(name) === undefined;
}

/** Images that a build takes from outside; those that are `known` stay what they are. */
export async function resolveImages(
  plan: BuildPlan,
  { request, known }: { readonly request: BuildRequest; readonly known?: ResolvedImages },
  work: BuildWorkspace,
): Promise<ResolvedImages> {
  const resolved = await Promise.all(
    [...listImages(plan, request)].map(async ([key, reference]) => {
      const image = known?.get(key) ?? (await resolveOnce({ reference, plan, request }, work));
      return [key, image] as const;
    }),
  );
  return new Map(resolved);
}

/** By their keys; those that named contexts stand for come last. */
export function listImages(
  plan: BuildPlan,
  request: BuildRequest,
): ReadonlyMap<string, ImageReference> {
  const { images } = plan.dependencies;
  const ofContexts = listContextImages(plan, request).map((name): ImageReference => ({
    kind: "image",
    name,
  }));
  // One that the file names, too, may say for which platform.
  return new Map([...images, ...ofContexts, ...images].map((one) => [imageKey(one), one]));
}

/** Images that named contexts stand for. */
function listContextImages(plan: BuildPlan, request: BuildRequest): readonly string[] {
  const { contexts } = plan.dependencies;
  return contexts.flatMap((name) => nameImage({ kind: "context", name }, request) ?? []);
}

/** What FROM asks for, else the whole build; undefined for whatever the engine has. */
export function findWanted(
  { platform }: ImageReference,
  { steps, reuse }: BuildRequest,
): WantedPlatform | undefined {
  if (platform !== undefined) return parsePlatform(platform.text, reuse.platform);
  return steps.platform === undefined ? undefined : reuse.platform;
}

const imagePrefix = "docker-image://";

/**
 * What the image that a reference stands for, itself or by a named context, is known by in a build: its name, or the
 * number of the stage that it is made of; undefined for anything else.
 */
export function nameImage(reference: Reference, { steps }: BuildRequest): string | undefined {
  if (reference.kind !== "context") return imageKey(reference);
  const value = steps.buildContexts.get(reference.name) ?? "";
  return value.startsWith(imagePrefix) ? value.slice(imagePrefix.length) : undefined;
}

/**
 * Images that the engine looks for by itself, by their keys: they stand in no text of ours, so they get no name of the
 * run's own. Those of named contexts have one in a build for a platform.
 */
export function listUnpinned(
  plan: BuildPlan,
  request: BuildRequest,
): ReadonlyMap<string, ImageReference> {
  const { stages, fired } = plan.dependencies;
  const byTriggers = stages.flatMap(({ uses }) =>
    uses.flatMap((use) =>
      fired.has(use.instruction) ? (nameImage(use.reference, request) ?? []) : [],
    ),
  );
  const isPlaced = request.steps.platform !== undefined;
  const keys = new Set([...(isPlaced ? [] : listContextImages(plan, request)), ...byTriggers]);
  return new Map([...listImages(plan, request)].filter(([key]) => keys.has(key)));
}

/** The same for a stage that another plan makes. */
export function nameBuilt(index: number): string {
  return imageKey({ kind: "built", index, name: "" }) ?? "";
}

/** `REPOSITORY@DIGEST` of a platform's manifest in a registry; or an image of the store, by its manifest's digest. */
export type OutsideSource = { readonly registry: string } | { readonly stored: Digest };

export interface ResolvedImage {
  readonly id: Digest;
  /** Whether the engine has it, or need not. */
  readonly isHere: boolean;
  /** Where an engine elsewhere finds it. */
  readonly source?: OutsideSource | undefined;
  /** Whether it is read where it is, and the engine need not have it (`findPlaced`). */
  readonly isPlaced?: boolean;
}

/** An image that a build takes from outside. */
export interface ImageUse {
  readonly reference: ImageReference;
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
}

/** All images of one command are made of the same. */
async function resolveOnce(use: ImageUse, work: BuildWorkspace): Promise<ResolvedImage> {
  const placed = await resolvePlaced(use, work);
  if (placed !== undefined) return placed;
  return work.shared.resolveImage(nameUse(use), () =>
    resolveImage(use, work).catch(async (error: unknown) => {
      throw await placePull(suggestStage(error, use), use);
    }),
  );
}

/** Names that registries have are none of these. */
async function resolvePlaced(
  use: ImageUse,
  work: BuildWorkspace,
): Promise<ResolvedImage | undefined> {
  const { target } = use.plan;
  const { name } = use.reference;
  const isBelow = target.kind === "layered" && target.bases.length > 0;
  if (!isBelow || !(isLocalName(name) || isElsewhere(name))) return undefined;
  const { findPlaced, isOnlyBelow } = await import("./placed-images.ts");
  if (!isOnlyBelow(use)) return undefined;
  return work.shared.resolveImage(
    `below ${nameUse(use)}`,
    async () => (await findPlaced(use, work)) ?? resolveImage(use, work),
  );
}

async function placePull(error: unknown, use: ImageUse): Promise<unknown> {
  if (!(error instanceof XbuildError) || error.code !== "image-pull-failed") return error;
  const { placeError } = await import("./place-error.ts");
  return placeError(error, use);
}

/** A name that is nearly that of a stage is most likely meant as one. */
function suggestStage(error: unknown, { reference: { name }, plan }: ImageUse): unknown {
  if (!(error instanceof XbuildError) || error.code !== "image-pull-failed") return error;
  const stages = plan.graph.stages.flatMap(({ stage }) => stage.name ?? []);
  const near = /[/:@]/.test(name) ? undefined : suggestName(name, stages);
  return near === undefined
    ? error
    : restateError(error, { hint: `did you mean the stage ${near}?` });
}

function nameUse({ reference, request }: ImageUse): string {
  const platform = findWanted(reference, request);
  const text = platform === undefined ? "" : renderPlatform(platform);
  return [text, reference.name].join(" ");
}

/** The image that the engine has for a use, or undefined. */
export async function findUsed(use: ImageUse, work: BuildWorkspace): Promise<Digest | undefined> {
  if (work.engine.isElsewhere) return undefined;
  const { reference, request } = use;
  const platform = findWanted(reference, request);
  if (platform === undefined) return work.engine.findImage(reference.name);
  const { findForPlatform } = await import("./platform-image.ts");
  return findForPlatform({ ...use, platform }, work);
}

async function resolveImage(use: ImageUse, work: BuildWorkspace): Promise<ResolvedImage> {
  if (work.engine.isElsewhere) {
    const { resolveElsewhere } = await import("./image-elsewhere.ts");
    return resolveElsewhere(use, work);
  }
  const { pull } = use.request.steps;
  const before = await findUsed(use, work);
  if (before !== undefined && pull !== "always" && pull !== "newer") {
    return { id: before, isHere: true };
  }
  if (pull === "never") {
    await assertNoOther(use, work);
    throw notHere(describeUse(use), "--pull=never forbids pulling it");
  }
  const remote = before === undefined ? await askRegistry(use, work) : undefined;
  if (remote !== undefined) return { id: remote, isHere: false };
  try {
    return { id: await pullImage(use, work), isHere: true };
  } catch (error) {
    // `newer` means "if there is a newer one to be had": an unreachable registry is no failure.
    if (pull !== "newer" || before === undefined || work.signal.aborted) throw error;
    return { id: before, isHere: true };
  }
}

/** Where the engine has one of that name for another platform, the platform is what is wrong. Errors: `image-unsupported` */
async function assertNoOther(use: ImageUse, work: BuildWorkspace): Promise<void> {
  const platform = findWanted(use.reference, use.request);
  if (platform === undefined) return;
  const { assertNoOther: assertFor } = await import("./assert-platform.ts");
  await assertFor({ ...use, platform }, work);
}

function describeUse({ reference, request }: ImageUse): string {
  const platform = findWanted(reference, request);
  return platform === undefined
    ? reference.name
    : `${reference.name} for ${renderPlatform(platform)}`;
}

/**
 * The ID that an image will have when it is pulled. Only asked where a previous image in a registry may prove
 * to be up to date: then nothing needs to be pulled. What cannot be found out so, the pull will say.
 */
async function askRegistry(
  { reference, request }: ImageUse,
  work: BuildWorkspace,
): Promise<Digest | undefined> {
  if (!mayBeProved(request)) return undefined;
  const { identifyImage } = await import("./identify.ts");
  const platform = findWanted(reference, request) ?? request.reuse.platform;
  return identifyImage(reference.name, platform, work);
}

/** Whether a previous image elsewhere may be the result, so that nothing is pulled before that is known. */
function mayBeProved({ steps, reuse }: BuildRequest): boolean {
  return !steps.noCache && reuse.cacheFrom.length + reuse.pushes.length > 0;
}

/** Has the engine pull an image of which only the ID was known. */
export function pullOnce(use: ImageUse, work: BuildWorkspace): Promise<ResolvedImage> {
  return work.shared.resolveImage(`pulled ${nameUse(use)}`, async () => ({
    id: await pullImage(use, work),
    isHere: true,
  }));
}

async function pullImage(use: ImageUse, work: BuildWorkspace): Promise<Digest> {
  const { reference, request } = use;
  const platform = findWanted(reference, request);
  if (platform === undefined) {
    const { assertOffered } = await import("./assert-platform.ts");
    await assertOffered(use, work);
    return pullNamed(reference.name, request, work);
  }
  const { pullForPlatform } = await import("./platform-image.ts");
  return pullForPlatform({ ...use, platform }, work);
}

async function pullNamed(
  name: string,
  { steps }: BuildRequest,
  work: BuildWorkspace,
): Promise<Digest> {
  const done = work.reporter.step(`Pulling ${name}`);
  await work.engine.pullImage(name, steps.flags, work);
  done();
  const pulled = await work.engine.findImage(name);
  if (pulled === undefined) throw notHere(name, "the engine pulled it under another name");
  return pulled;
}

function notHere(name: string, why: string): XbuildError {
  return new XbuildError("image-pull-failed", `the image ${name} is not on this machine: ${why}`, {
    hint: "pull it first, or build with --pull=missing",
  });
}
