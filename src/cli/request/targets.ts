import { listSome } from "../../text.ts";
import { type GivenFlag, usageError } from "../line/arguments.ts";
import type { BuildFlag } from "../line/build-flags.ts";
import type { BuildCommandLine } from "../line/build-line.ts";

/** The part of a command line that is about one target. */
export interface TargetLine {
  /** As --target has it; undefined where none is given. */
  readonly target: string | undefined;
  readonly line: BuildCommandLine;
}

/**
 * A command line of `build` for each target that it names, in the order given: every flag but for those that name
 * what comes out (`-t`, `-o`, `--manifest`, `--iidfile`), and of these the ones behind its own --target. A target that
 * is named twice is one, with the flags of both. With one target or none, the line as it is, in any order.
 * Errors: `usage` where it cannot be told which target a flag belongs to.
 */
export function splitTargets(line: BuildCommandLine): readonly TargetLine[] {
  const targets = new Map<string, string>();
  for (const { spec, value } of line.flags)
    // Names of stages are the same in capitals.
    if (spec.name === "target" && !targets.has(value.toLowerCase()))
      targets.set(value.toLowerCase(), value);
  if (targets.size < 2) return [{ target: [...targets.values()][0], line }];
  const placed = placeFlags(line.flags);
  // One file of IDs for all is what a reader may expect of --iidfile, whatever the others say.
  assertPlaced(placed, ["tag", "output", "manifest"]);
  assertPlaced(placed, ["iidfile"]);
  return [...targets].map(([key, target]) => ({
    target,
    line: { ...line, flags: selectFlags(placed, key) },
  }));
}

/** The words of a command line that says the same. */
export function renderLine({ flags, operands, rest }: BuildCommandLine): readonly string[] {
  const words = [...flags.flatMap((one) => one.words), ...operands];
  return rest.length === 0 ? words : [...words, "--", ...rest];
}

/** The same command line without a flag. */
export function omitFlag(line: BuildCommandLine, name: string): BuildCommandLine {
  return { ...line, flags: line.flags.filter((one) => one.spec.name !== name) };
}

interface PlacedFlag {
  readonly flag: GivenFlag<BuildFlag>;
  /** How many --target flags stand up to here. */
  readonly behind: number;
  /** The last of them, in lower case. */
  readonly owner: string | undefined;
}

function placeFlags(flags: readonly GivenFlag<BuildFlag>[]): readonly PlacedFlag[] {
  let behind = 0;
  let owner: string | undefined;
  return flags.map((flag) => {
    if (flag.spec.name === "target") {
      behind += 1;
      owner = flag.value.toLowerCase();
    }
    return { flag, behind, owner };
  });
}

function selectFlags(placed: readonly PlacedFlag[], key: string): readonly GivenFlag<BuildFlag>[] {
  const first = placed.find((one) => one.flag.spec.name === "target" && one.owner === key);
  return placed
    .filter((one) => {
      const { name } = one.flag.spec;
      if (name === "target") return one === first;
      return !ownNames.has(name) || one.owner === key;
    })
    .map((one) => one.flag);
}

/** Flags of which each target has its own. */
const ownNames: ReadonlySet<string> = new Set(["tag", "output", "manifest", "iidfile"]);

function assertPlaced(placed: readonly PlacedFlag[], names: readonly string[]): void {
  const given = placed.filter((one) => names.includes(one.flag.spec.name));
  const last = placed.at(-1)?.behind;
  const before = given.filter((one) => one.behind === 0);
  if (before.length > 0) throw misplaced(before, "before all --target flags");
  if (given.length > 0 && given.every((one) => one.behind === last))
    throw misplaced(given, "behind all --target flags");
}

function misplaced(given: readonly PlacedFlag[], where: string): Error {
  const shown = listSome(
    given.map((one) => one.flag.words.join(" ")),
    3,
  );
  const short = given[0]?.flag.spec.short;
  const flag = short === undefined ? `--${given[0]?.flag.spec.name}` : `-${short}`;
  const verb = given.length === 1 ? "stands" : "stand";
  return usageError(
    `${shown} ${verb} ${where}, so it is not clear which target is meant`,
    `write it behind the target that it is for (--target a ${flag} x --target b ${flag} y), or build each target by a command of its own`,
  );
}
