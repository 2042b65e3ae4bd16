import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** Images that a build takes from outside, by their names in the file. */
export async function resolveImages(
  plan: BuildPlan,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<ReadonlyMap<string, ResolvedImage>> {
  const names = [...new Set([...plan.images, ...listContextImages(plan, request)])];
  const resolved = await Promise.all(
    names.map(async (name) => [name, await resolveImage(name, request, work)] as const),
  );
  return new Map(resolved);
}

/** Images that named contexts stand for. */
export function listContextImages(plan: BuildPlan, { steps }: BuildRequest): readonly string[] {
  return plan.contexts.flatMap((name) => {
    const value = steps.buildContexts.get(name) ?? "";
    return value.startsWith("docker-image://") ? [value.slice("docker-image://".length)] : [];
  });
}

export interface ResolvedImage {
  readonly id: Digest;
  /** Whether the engine has it. */
  readonly isHere: boolean;
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
  { steps, reuse, delivery }: BuildRequest,
  work: BuildWorkspace,
): Promise<Digest | undefined> {
  if (steps.noCache || reuse.cacheFrom.length + delivery.pushes.length === 0) return undefined;
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
