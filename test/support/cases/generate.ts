import { createChance } from "../counts.ts";
import { baseName, type Draft, type DraftStage, finishDraft, pick, type Slot } from "./draft.ts";
import { listPairs, orderPairs } from "./pairs.ts";
import type { Read } from "./reads.ts";
import { file, type Change, type World } from "./world.ts";

/** A build, and one thing that is changed before it is done again. */
export interface Case {
  readonly number: number;
  readonly world: World;
  /** What is read, and what of it is changed. */
  readonly read: string;
  readonly changed: string;
  readonly change: Change;
  /** Whether it may be built again although nothing has changed: nobody can tell before. */
  readonly mayBuild: boolean;
}

/**
 * The case of this number: each read comes with one of its changes before one comes with another, and all
 * pairs of the two come before one comes again.
 */
export function makeCase(seed: number, number: number): Case {
  const pairs = orderPairs(listPairs(), createChance(seed));
  const chance = createChance(seed * 65_537 + number + 1);
  const [read, changed] = pairs[number % pairs.length] ?? pick(chance, pairs);
  const draft = openDraft(number, chance);
  const change = writeRead(draft, read, changed, `s${number}`);
  if (change === undefined) throw new RangeError(`${read.name} has no place`);
  for (let more = Math.floor(chance() * 3); more > 0; more -= 1) {
    const other = pick(chance, listPairs());
    writeRead(draft, other[0], other[1], `x${more}n${number}`);
  }
  joinStages(draft);
  return {
    number,
    read: read.name,
    changed,
    change: weaken(change, changed, draft),
    world: finishDraft(draft),
    mayBuild: draft.isNeverUpToDate || draft.isVague || draft.readsWhole,
  };
}

function openDraft(number: number, chance: () => number): Draft {
  const draft: Draft = {
    number,
    chance,
    preamble: [],
    stages: [],
    outputFlags: [],
    afterOutput: [],
    trailing: [],
    directories: {
      context: { "lone/file": file("lone\n") },
      base: { "etc/told-base": file("one\n"), "volume/v": file("one\n") },
    },
    images: {},
    flags: chance() < 0.8 ? ["--timestamp=1000000000"] : [],
    environment: {},
    isInside: chance() < 0.2,
    readsWhole: false,
    isVague: false,
    isNeverUpToDate: false,
  };
  draft.images[baseName(draft)] = {
    text: "FROM localhost/cases:latest\nCOPY . /\nENV BASE=one HERE=.\nLABEL base=one\nVOLUME /volume\n",
    directory: "base",
  };
  const names = [...["one", "two"].filter(() => chance() < 0.4), "final"];
  const stages = names.map((name) => ({
    name,
    from: baseName(draft),
    hasOwnBase: false,
    lines: [],
  }));
  draft.stages.push(...stages);
  return draft;
}

function writeRead(draft: Draft, read: Read, changed: string, id: string): Change | undefined {
  const { chance } = draft;
  const free = draft.stages.filter((stage) => isOpenTo(stage, read));
  if (free.length === 0) return undefined;
  const stage = pick(chance, free);
  if (read.needsBase === true) stage.hasOwnBase = true;
  const isAfter = stage === draft.stages.at(-1) && read.isBefore !== true && chance() < 0.3;
  const slot: Slot = {
    id,
    draft,
    stage,
    lines: isAfter ? draft.afterOutput : stage.lines,
    told: `/told/${id}`,
  };
  return read.write(slot, changed);
}

function isOpenTo(stage: DraftStage, { needsBase }: Read): boolean {
  if (!["one", "two", "final"].includes(stage.name)) return false;
  return needsBase !== true || !stage.hasOwnBase;
}

/** What the stages read comes into the last one. */
function joinStages(draft: Draft): void {
  const { chance, stages } = draft;
  const own = stages.filter(({ name }) => ["one", "two", "final"].includes(name));
  for (const [at, stage] of own.slice(0, -1).entries()) {
    const next = own[at + 1];
    if (next === undefined) continue;
    const isFree = !next.hasOwnBase && stages.indexOf(stage) < stages.indexOf(next);
    const how = pick(
      chance,
      isFree ? (["from", "COPY", "mount"] as const) : (["COPY", "mount"] as const),
    );
    if (how === "from") next.from = stage.name;
    if (how === "COPY") next.lines.push(`COPY --from=${stage.name} /told /told/`);
    if (how !== "mount") continue;
    const lines = next.name === "final" && chance() < 0.3 ? draft.afterOutput : next.lines;
    const mount = `--mount=type=bind,from=${stage.name},target=/stage-${stage.name}`;
    lines.push(`RUN ${mount} cp -a /stage-${stage.name}/told/. /told/`);
  }
}

/** Where the whole context is read, nothing in it is harmless. */
function weaken(change: Change, changed: string, draft: Draft): Change {
  const isContext = /beside|ignored|comment/.test(changed);
  const isOpen =
    (draft.readsWhole && isContext) || draft.flags.some((one) => one.startsWith("--ignorefile"));
  return isOpen && change.effect === "harmless" ? { ...change, effect: "open" } : change;
}
