import { type Digest, normalisePlatform, renderPlatform, type WantedPlatform } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { readStoredConfig } from "./base-facts.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** The platform of this machine. */
export function findHost({ graph }: BuildPlan): WantedPlatform {
  const [os = "", architecture = ""] = graph.options.buildPlatform.split("/");
  return { os, architecture };
}

export function isSamePlatform(one: WantedPlatform, other: WantedPlatform): boolean {
  return renderPlatform(normalisePlatform(one)) === renderPlatform(normalisePlatform(other));
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

/** What a config says of it. One that says nothing counts as this machine's, as engines take it. */
export function describePlatform(
  { os, architecture, variant }: Readonly<Record<string, unknown>>,
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
