import type { Planner, Series } from "../model.ts";
import { apko } from "./apko.ts";
import { chunkah } from "./chunkah.ts";
import { createClairvoyant } from "./clairvoyant.ts";
import { instructions } from "./instructions.ts";
import { nixLargest } from "./nix-largest.ts";
import { nixPopularity } from "./nix-popularity.ts";
import { oneLayer } from "./one-layer.ts";
import { rechunk } from "./rechunk.ts";
import { rpmOstree } from "./rpm-ostree.ts";

/** Ours, in the order of the tables. */
const own: readonly Planner[] = [];

/** Others' rules, written anew: each file says where the rule stands. */
const rivals: readonly Planner[] = [chunkah, rpmOstree, rechunk, apko, nixPopularity, nixLargest];

/** What people have without a planner. */
const plain: readonly Planner[] = [instructions, oneLayer];

/** What a table's row is of. */
export type Role = "own" | "rival" | "plain" | "limit";

/** In the order of the tables: ours first, the clairvoyant last. */
export function listPlanners(
  series: Series,
): readonly { readonly planner: Planner; readonly role: Role }[] {
  return [
    ...own.map((planner) => ({ planner, role: "own" as const })),
    ...rivals.map((planner) => ({ planner, role: "rival" as const })),
    ...plain.map((planner) => ({ planner, role: "plain" as const })),
    { planner: createClairvoyant(series), role: "limit" },
  ];
}
