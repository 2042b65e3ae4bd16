import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../reporter.ts";
import type { TransportAccess } from "../copy/copy.ts";
import type { Run, Store } from "../store/store.ts";
import type { RegistryAnswers } from "./answers.ts";

/** Where images are moved from and to, and what they are moved with: the last parameter of every step. */
export interface Workspace {
  readonly store: Store;
  /** How registries are reached. */
  readonly registries: TransportAccess;
  /** What registries have answered in this command, where several of its steps ask. */
  readonly answers?: RegistryAnswers | undefined;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** The same with a run of the store, whose directory is for what is unfinished. */
export interface RunWorkspace extends Workspace {
  readonly run: Run;
}

/** The same with an engine, for what goes into its storage or is written by it. */
export interface EngineWorkspace extends Workspace {
  readonly engine: Engine;
}
