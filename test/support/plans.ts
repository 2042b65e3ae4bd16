import { expect } from "vitest";
import { parseContainerfile } from "../../src/containerfile/parse.ts";
import { resolveStages } from "../../src/containerfile/stages.ts";
import { createPlan } from "../../src/plan/create-plan.ts";
import type { BuildPlan, LayeredStage } from "../../src/plan/model.ts";

/** The plan of a Containerfile without faults; undefined where its target has no OUTPUT. */
export function planOf(
  text: string | Uint8Array,
  options: { target?: string; buildArgs?: Record<string, string> } = {},
): BuildPlan | undefined {
  const containerfile = parseContainerfile(Buffer.from(text), "Containerfile.x");
  const graph = resolveStages(containerfile, {
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    buildContexts: new Set(),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  expect([...containerfile.diagnostics, ...graph.diagnostics]).toEqual([]);
  return createPlan(containerfile, graph);
}

/** A plan whose target has an OUTPUT. */
export type LayeredPlan = BuildPlan & { readonly target: LayeredStage };

export function mustPlan(...args: Parameters<typeof planOf>): LayeredPlan {
  const plan = planOf(...args);
  if (plan === undefined) throw new Error("no plan");
  const { target } = plan;
  if (target.kind === "plain") throw new Error("the target has no OUTPUT");
  return { ...plan, target };
}
