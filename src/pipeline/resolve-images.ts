import type { Reference } from "../containerfile/containerfile.ts";
import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import { type BuildPlan, imageKey } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** Images by their names in the file. */
export type ResolvedImages = ReadonlyMap<string, ResolvedImage>;

/** Images that a build takes from outside; those that are `known` stay what they are. */
export async function resolveImages(
  plan: BuildPlan,
  { request, known }: { readonly request: BuildRequest; readonly known?: ResolvedImages },
  work: BuildWorkspace,
): Promise<ResolvedImages> {
  const { images } = plan.dependencies;
  const names = [...new Set([...images, ...listContextImages(plan, request)])];
  const resolved = await Promise.all(
    names.map(
      async (name) => [name, known?.get(name) ?? (await resolveOnce(name, request, work))] as const,
    ),
  );
  return new Map(resolved);
}

/** Images that named contexts stand for. */
function listContextImages(plan: BuildPlan, request: BuildRequest): readonly string[] {
  const { contexts } = plan.dependencies;
  return contexts.flatMap((name) => nameImage({ kind: "context", name }, request) ?? []);
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

/** Images that the engine looks for by itself: they stand in no text of ours, so they get no name of the run's own. */
export function listUnpinned(plan: BuildPlan, request: BuildRequest): readonly string[] {
  const { stages, fired } = plan.dependencies;
  const byTriggers = stages.flatMap(({ uses }) =>
    uses.flatMap((use) =>
      fired.has(use.instruction) ? (nameImage(use.reference, request) ?? []) : [],
    ),
  );
  return [...new Set([...listContextImages(plan, request), ...byTriggers])];
}

/** The same for a stage that another plan makes. */
export function nameBuilt(index: number): string {
  return imageKey({ kind: "built", index, name: "" }) ?? "";
}

export interface ResolvedImage {
  readonly id: Digest;
  /** Whether the engine has it. */
  readonly isHere: boolean;
}

/** All images of one command are made of the same. */
function resolveOnce(
  name: string,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<ResolvedImage> {
  const key = [request.steps.platform ?? "", name].join(" ");
  return work.shared.resolveImage(key, () => resolveImage(name, request, work));
}

async function resolveImage(
  name: string,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<ResolvedImage> {
  const { pull } = request.steps;
  const before = await work.engine.findImage(name);
  if (before !== undefined && pull !== "always" && pull !== "newer") {
    return { id: before, isHere: true };
  }
  if (pull === "never") throw notHere(name, "--pull=never forbids pulling it");
  const remote = before === undefined ? await askRegistry(name, request, work) : undefined;
  if (remote !== undefined) return { id: remote, isHere: false };
  try {
    return { id: await pullImage(name, request, work), isHere: true };
  } catch (error) {
    // `newer` means "if there is a newer one to be had": an unreachable registry is no failure.
    if (pull !== "newer" || before === undefined || work.signal.aborted) throw error;
    return { id: before, isHere: true };
  }
}

/**
 * The ID that an image will have when it is pulled. Only asked where a previous image in a registry may prove
 * to be up to date: then nothing needs to be pulled. What cannot be found out so, the pull will say.
 */
async function askRegistry(
  name: string,
  { steps, reuse }: BuildRequest,
  work: BuildWorkspace,
): Promise<Digest | undefined> {
  if (steps.noCache || reuse.cacheFrom.length + reuse.pushes.length === 0) return undefined;
  const { identifyImage } = await import("./identify.ts");
  return identifyImage(name, reuse.platform, work);
}

/** Has the engine pull an image. @returns its ID */
export async function pullImage(
  name: string,
  { steps }: BuildRequest,
  work: BuildWorkspace,
): Promise<Digest> {
  const done = work.reporter.step(`Pulling ${name}`);
  await work.engine.pullImage(name, steps, work);
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
