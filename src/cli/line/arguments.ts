import { exitStatuses, XbuildError } from "../../errors.ts";
import { suggestName } from "../../suggest.ts";

/** How a flag takes its value: as pflag, which buildah and podman use, has it. */
export type FlagKind = "value" | "boolean" | "optional";

export interface FlagSpec {
  readonly name: string;
  readonly short?: string | undefined;
  readonly kind: FlagKind;
}

export interface GivenFlag<Spec extends FlagSpec = FlagSpec> {
  readonly spec: Spec;
  /** `true` or `false` for booleans; "" for an optional value that was left out. */
  readonly value: string;
  /** The words of the command line that gave it. */
  readonly words: readonly string[];
}

/** A command line, taken apart and not yet judged. */
export interface CommandLine<Spec extends FlagSpec = FlagSpec> {
  readonly flags: readonly GivenFlag<Spec>[];
  readonly operands: readonly string[];
  /** Everything after `--`. */
  readonly rest: readonly string[];
}

/** The flags of a command line, whichever command's it is. */
export type GivenFlags = Pick<CommandLine, "flags">;

/** --help of every command whose flags stand in no table of its own; `build` has it in `build-flags.ts`. */
export const helpFlag: FlagSpec = { name: "help", short: "h", kind: "boolean" };

/** All values of a flag, in the order given. */
export function listValues(line: GivenFlags, name: string): readonly string[] {
  return line.flags.filter((one) => one.spec.name === name).map((one) => one.value);
}

/** The last value of a flag that counts once. */
export function lastValue(line: GivenFlags, name: string): string | undefined {
  return listValues(line, name).at(-1);
}

export function isSet(line: GivenFlags, name: string): boolean {
  return lastValue(line, name) === "true";
}

export function usageError(message: string, hint?: string): XbuildError {
  return new XbuildError("usage", message, {
    exitStatus: exitStatuses.usage,
    hint: hint ?? "see xbuild --help",
  });
}

/**
 * Takes a command line apart by pflag's rules: `--flag=value`, `--flag value`, `-f value`,
 * `-fvalue`, `-qD`, flags and operands in any order, `--` ends both.
 * @throws XbuildError `usage` for an unknown flag (with a "did you mean") and a missing value.
 */
export function parseCommandLine<Spec extends FlagSpec>(
  words: readonly string[],
  specs: readonly Spec[],
): CommandLine<Spec> {
  const flags: GivenFlag<Spec>[] = [];
  const operands: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") return { flags, operands, rest: queue };
    if (word.startsWith("--")) flags.push(parseLong(word, queue, specs));
    else if (word.startsWith("-") && word !== "-") flags.push(...parseShort(word, queue, specs));
    else operands.push(word);
  }
  return { flags, operands, rest: [] };
}

function parseLong<Spec extends FlagSpec>(
  word: string,
  queue: string[],
  specs: readonly Spec[],
): GivenFlag<Spec> {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined) throw unknownFlag(`--${name}`, name, specs);
  if (equals >= 0) return { spec, value: checkValue(spec, word.slice(equals + 1)), words: [word] };
  if (spec.kind !== "value") {
    return { spec, value: spec.kind === "boolean" ? "true" : "", words: [word] };
  }
  const value = queue.shift();
  if (value === undefined) throw usageError(`--${name} needs a value`);
  return { spec, value, words: [word, value] };
}

/** `-t name`, `-tname`, `-t=name`, and booleans in a row. */
function parseShort<Spec extends FlagSpec>(
  word: string,
  queue: string[],
  specs: readonly Spec[],
): readonly GivenFlag<Spec>[] {
  const letter = word.slice(1, 2);
  const after = word.slice(2);
  const spec = specs.find((one) => one.short === letter);
  if (spec === undefined) throw unknownFlag(`-${letter}`, undefined, specs);
  if (spec.kind !== "value") {
    if (after.startsWith("=")) {
      return [{ spec, value: checkValue(spec, after.slice(1)), words: [word] }];
    }
    const one = { spec, value: spec.kind === "boolean" ? "true" : "", words: [`-${letter}`] };
    return after === "" ? [one] : [one, ...parseShort(`-${after}`, queue, specs)];
  }
  if (after !== "") return [{ spec, value: after.replace(/^=/, ""), words: [word] }];
  const value = queue.shift();
  if (value === undefined) throw usageError(`-${letter} needs a value`);
  return [{ spec, value, words: [word, value] }];
}

const trueWords = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const falseWords = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** undefined for what is neither. Go, strconv.ParseBool */
export function readBoolean(word: string): boolean | undefined {
  if (trueWords.has(word)) return true;
  return falseWords.has(word) ? false : undefined;
}

function checkValue(spec: FlagSpec, value: string): string {
  if (spec.kind !== "boolean") return value;
  const flag = readBoolean(value);
  if (flag !== undefined) return String(flag);
  throw usageError(`--${spec.name} is true or false, not "${value}"`);
}

function unknownFlag(
  shown: string,
  name: string | undefined,
  specs: readonly FlagSpec[],
): XbuildError {
  const near =
    name === undefined
      ? undefined
      : suggestName(
          name,
          specs.map((one) => one.name),
        );
  return usageError(
    `unknown flag ${shown}`,
    near === undefined ? undefined : `did you mean --${near}?`,
  );
}
