import type { Planner, Series } from "../model.ts";
import { apko } from "./apko.ts";
import { chunkahProgram } from "./chunkah-program.ts";
import { chunkah } from "./chunkah.ts";
import { createClairvoyant } from "./clairvoyant.ts";
import { instructions } from "./instructions.ts";
import { nixLargest } from "./nix-largest.ts";
import { nixPopularity } from "./nix-popularity.ts";
import { ours, oursAlone } from "./ours.ts";
import { oneLayer } from "./one-layer.ts";
import { rechunk } from "./rechunk.ts";
import { rpmOstree } from "./rpm-ostree.ts";

/** Ours, in the order of the tables. */
const own: readonly Planner[] = [ours, oursAlone];

/** Others' rules, written anew: each file says where the rule stands. */
const rivals: readonly Planner[] = [chunkah, rpmOstree, rechunk, apko, nixPopularity, nixLargest];

/** What people have without a planner. */
const plain: readonly Planner[] = [instructions, oneLayer];

/** What a table's row is of. */
export type Role = "own" | "rival" | "plain" | "limit";

/** Those that run only where they are asked for by name. */
const slow: ReadonlySet<Planner> = new Set([chunkahProgram]);

export interface Entrant {
  readonly planner: Planner;
  readonly role: Role;
  readonly isSlow: boolean;
}

/** In the order of the tables: ours first, the clairvoyant last. */
export function listPlanners(series: Series): readonly Entrant[] {
  const groups = { own, rival: [...rivals, ...slow], plain, limit: [createClairvoyant(series)] };
  return (["own", "rival", "plain", "limit"] as const).flatMap((role) =>
    groups[role].map((planner) => ({ planner, role, isSlow: slow.has(planner) })),
  );
}
