import type { Origin, SourceChange, Way } from "./forms.ts";
import { argumentReads } from "./read-arguments.ts";
import { configReads } from "./read-config.ts";
import { flagReads } from "./read-flags.ts";
import { ignoredReads } from "./read-ignored.ts";
import { imageReads } from "./read-images.ts";
import { stepReads } from "./read-steps.ts";
import { triggerReads } from "./read-triggers.ts";
import { volumeReads } from "./read-volumes.ts";
import type { Read } from "./reads.ts";
import { readSources } from "./sources.ts";

const sourceChanges: readonly SourceChange[] = [
  "content",
  "content, unseen",
  "mode",
  "capability",
  "link",
  "added",
  "another kind",
  "added directory",
  "removed",
  "directory mode",
  "beside",
];

/** What COPY and mounts are tried with is not all tried again. */
const addChanges = ["content", "content, unseen", "mode", "capability", "added", "beside"] as const;

/** An image has an ID of its own, so that fewer things may be overseen there. */
const imageChanges = ["content", "mode", "link"] as const;
const directoryChanges = [
  "content",
  "content, unseen",
  "mode",
  "link",
  "added",
  "removed",
] as const;

const sources: readonly (readonly [Way, Origin, readonly SourceChange[]])[] = [
  ["COPY", "context", sourceChanges],
  ["ADD", "context", addChanges],
  ["mount", "context", sourceChanges],
  ["COPY", "named context", directoryChanges],
  ["mount", "named context", directoryChanges],
  ["COPY", "image", imageChanges],
  ["mount", "image", imageChanges],
  ["COPY", "stage", directoryChanges],
  ["mount", "stage", directoryChanges],
];

const sourceReads: readonly Read[] = sources.map(([way, origin, changes]) => ({
  name: `${way} from: ${origin}`,
  changes,
  write: (slot, change) => {
    const known = changes.find((one) => one === change);
    if (known === undefined) throw new RangeError(`no change "${change}"`);
    return readSources(slot, { way, origin }, known);
  },
}));

const reads: readonly Read[] = [
  ...sourceReads,
  ...argumentReads,
  ...stepReads,
  ...configReads,
  ...triggerReads,
  ...imageReads,
  ...volumeReads,
  ...ignoredReads,
  ...flagReads,
];

/** What is read, and what of it is changed. */
export type Pair = readonly [Read, string];

/** All that is read and changed in some case. */
export function listPairs(): readonly Pair[] {
  return reads.flatMap((read) => read.changes.map((change) => [read, change] as const));
}

/** Each read with one of its changes, by chance, before one comes with another. */
export function orderPairs(pairs: readonly Pair[], chance: () => number): readonly Pair[] {
  const shuffled = shuffle(pairs, chance);
  const rounds = new Map<string, number>();
  return shuffled
    .map((pair) => {
      const round = rounds.get(pair[0].name) ?? 0;
      rounds.set(pair[0].name, round + 1);
      return [round, pair] as const;
    })
    .sort(([a], [b]) => a - b)
    .map(([, pair]) => pair);
}

function shuffle<T>(list: readonly T[], chance: () => number): readonly T[] {
  return list
    .map((one) => [chance(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
