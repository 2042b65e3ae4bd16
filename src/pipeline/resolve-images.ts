import type { RunContext } from "../engine/engine.ts";
import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";

/** Images that a build takes from outside, by their names in the file. */
export async function resolveImages(
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  context: RunContext,
): Promise<ReadonlyMap<string, ResolvedImage>> {
  const names = [...new Set([...plan.images, ...listContextImages(request, plan)])];
  const found = await Promise.all(
    names.map(async (name) => [name, await resolveImage(name, request, ports, context)] as const),
  );
  return new Map(found);
}

/** Images that named contexts stand for. */
export function listContextImages(request: BuildRequest, plan: BuildPlan): readonly string[] {
  return plan.contexts.flatMap((name) => {
    const value = request.buildContexts.get(name) ?? "";
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
  ports: BuildPorts,
  context: RunContext,
): Promise<ResolvedImage> {
  const before = await ports.engine.resolveImage(name);
  const asks = request.pull === "always" || request.pull === "newer";
  if (before !== undefined && !asks) return { id: before, isHere: true };
  if (request.pull === "never") throw notHere(name, "--pull=never forbids pulling it");
  const remote = before === undefined ? await askRegistry(name, request, ports) : undefined;
  if (remote !== undefined) return { id: remote, isHere: false };
  return { id: await pullImage(name, request, ports, context, before), isHere: true };
}

/**
 * The ID that an image will have when it is pulled. Only asked where a previous image in a registry may prove
 * to be up to date: then nothing needs to be pulled. What cannot be found out so, the pull will say.
 */
async function askRegistry(
  name: string,
  request: BuildRequest,
  { signal }: BuildPorts,
): Promise<Digest | undefined> {
  if (request.noCache || request.cacheFrom.length + request.pushes.length === 0) return undefined;
  const { identifyImage } = await import("./identify.ts");
  return identifyImage(name, request, signal);
}

/** Has the engine pull an image. @param before what it has under that name now @returns its ID */
export async function pullImage(
  name: string,
  request: BuildRequest,
  { engine, reporter }: BuildPorts,
  context: RunContext,
  before: Digest | undefined,
): Promise<Digest> {
  const done = reporter.step(`Pulling ${name}`);
  try {
    await engine.pull(name, pullFlags(request), context);
  } catch (error) {
    // `newer` means "if there is a newer one to be had": an unreachable registry is no failure.
    if (request.pull !== "newer" || before === undefined || context.signal.aborted) throw error;
  }
  done();
  const after = await engine.resolveImage(name);
  if (after === undefined) throw notHere(name, "the engine pulled it under another name");
  return after;
}

function pullFlags(request: BuildRequest): readonly string[] {
  const platform = request.platform === undefined ? [] : [`--platform=${request.platform}`];
  return [...platform, ...request.flags.pull];
}

function notHere(name: string, why: string): XbuildError {
  return new XbuildError("image-pull-failed", `the image ${name} is not on this machine: ${why}`, {
    hint: "pull it first, or build with --pull=missing",
  });
}
