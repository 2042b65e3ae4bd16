import type { ImageRecipe, Node, World } from "./world.ts";

export interface DraftStage {
  readonly name: string;
  from: string;
  /** Whether something depends on what its base is. */
  hasOwnBase: boolean;
  readonly lines: string[];
}

/** A case while it is written. */
export interface Draft {
  readonly number: number;
  readonly chance: () => number;
  readonly preamble: string[];
  /** The last one has the OUTPUT, behind its `lines`. */
  readonly stages: DraftStage[];
  readonly outputFlags: string[];
  readonly afterOutput: string[];
  /** Stages behind the target. */
  readonly trailing: string[];
  readonly directories: Record<string, Record<string, Node>>;
  readonly images: Record<string, ImageRecipe>;
  readonly flags: string[];
  readonly environment: Record<string, string>;
  isInside: boolean;
  /** Whether anything reads the whole context. */
  readsWhole: boolean;
  /** Whether something reads what only the engine can tell: a link's target, a path in a variable of the base. */
  isVague: boolean;
  /** Whether the build may write what it reads, so that it is never up to date. */
  isNeverUpToDate: boolean;
}

/** Where something that is read is written down. */
export interface Slot {
  /** A name of its own, for files and variables. */
  readonly id: string;
  readonly draft: Draft;
  readonly stage: DraftStage;
  /** Instructions of the stage, before OUTPUT or behind it. */
  readonly lines: string[];
  /** Where the steps leave what they read. */
  readonly told: string;
}

export function pick<T>(chance: () => number, list: readonly T[]): T {
  const one = list[Math.floor(chance() * list.length)];
  if (one === undefined) throw new RangeError("nothing to pick from");
  return one;
}

/** The base image that every case has for itself. */
export function baseName({ number }: Pick<Draft, "number">): string {
  return `localhost/case-${number}:latest`;
}

export function imageName({ draft, id }: Slot): string {
  return `localhost/case-${draft.number}-${id}:latest`;
}

/** A stage before that of the slot. */
export function addStage({ draft, stage }: Slot, name: string, from: string): DraftStage {
  const added: DraftStage = { name, from, hasOwnBase: true, lines: [] };
  draft.stages.splice(draft.stages.indexOf(stage), 0, added);
  return added;
}

export function putFile(
  draft: Draft,
  directory: string,
  files: Readonly<Record<string, Node>>,
): void {
  draft.directories[directory] = { ...draft.directories[directory], ...files };
}

export function finishDraft(draft: Draft): World {
  return {
    containerfile: renderDraft(draft),
    isInside: draft.isInside,
    directories: draft.directories,
    images: draft.images,
    flags: draft.flags,
    environment: draft.environment,
  };
}

function renderDraft(draft: Draft): string {
  const stages = draft.stages.map(({ name, from, lines }) => [`FROM ${from} AS ${name}`, ...lines]);
  const output = ["OUTPUT", ...draft.outputFlags, "/layers"].join(" ");
  return [
    "# the file",
    ...draft.preamble,
    ...stages.flat(),
    output,
    ...draft.afterOutput,
    "RUN /layers/bin/layer add told -C / told",
    ...draft.trailing,
    "",
  ].join("\n");
}
