import type { Digest } from "../../oci/oci.ts";
import type { EngineBuild, SessionWorkspace } from "../model.ts";
import type { Builders, Seat } from "./builders.ts";
import type { NamedSource } from "./solve-call.ts";

/** Images of a command that no builder holds: configs that were evaluated, and stages that came back. */
export interface MadeImages {
  readonly configs: Map<Digest, Uint8Array>;
  /** As skopeo reads them. */
  readonly layouts: Map<Digest, string>;
}

/** What the sessions of one engine have in common. */
export interface SessionEngine {
  readonly name: string;
  readonly options: readonly string[];
  readonly builders: () => Promise<Builders>;
  readonly made: MadeImages;
}

/** One build on a builder. */
export interface Session extends SessionWorkspace {
  readonly engine: SessionEngine;
  readonly build: EngineBuild;
  readonly builders: Builders;
  readonly seat: Seat;
  readonly sources: ReadonlyMap<string, NamedSource>;
  readonly told: Set<string>;
}
