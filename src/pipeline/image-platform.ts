import { type Digest, normalisePlatform, type WantedPlatform } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { readStoredConfig } from "./base-facts.ts";
import { nameBuilt } from "./resolve-images.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** The platform of this machine. */
export function findHost({ graph }: BuildPlan): WantedPlatform {
  const [os = "", architecture = ""] = graph.options.buildPlatform.split("/");
  return { os, architecture };
}

/**
 * What the images that a build has in the engine are for, by their keys: none where neither the build nor a FROM in it
 * asks for a platform.
 */
export async function listPlatforms(
  { plan, request, inputs }: Build,
  images: ReadonlyMap<string, Digest>,
  work: BuildWorkspace,
): Promise<ReadonlyMap<string, WantedPlatform>> {
  const isAsked =
    request.steps.platform !== undefined ||
    plan.needed.some(({ platform }) => platform !== undefined);
  if (!isAsked) return new Map();
  const stages = new Map([...inputs.stages].map(([index, one]) => [nameBuilt(index), one.image]));
  const platforms = [...images].map(async ([key, id]) => {
    const stage = stages.get(key);
    const platform =
      stage === undefined
        ? await readStoredPlatform(id, plan, work)
        : describePlatform(stage.config, plan);
    return [key, platform] as const;
  });
  return new Map(await Promise.all(platforms));
}

/** The platform of an image that the engine has, in its one form. */
export async function readStoredPlatform(
  id: Digest,
  plan: BuildPlan,
  work: BuildWorkspace,
): Promise<WantedPlatform> {
  const bytes = await readStoredConfig(id, work);
  return describePlatform(JSON.parse(Buffer.from(bytes).toString("utf8")), plan);
}

/** Of a document that others wrote. */
interface LoosePlatform {
  readonly os?: unknown;
  readonly architecture?: unknown;
  readonly variant?: unknown;
}

/** What a config says of it. One that says nothing counts as this machine's, as engines take it. */
export function describePlatform(
  { os, architecture, variant }: LoosePlatform,
  plan: BuildPlan,
): WantedPlatform {
  const host = findHost(plan);
  return normalisePlatform({
    os: toText(os) || host.os,
    architecture: toText(architecture) || host.architecture,
    variant: toText(variant),
  });
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
