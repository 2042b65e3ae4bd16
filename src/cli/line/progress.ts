import type { CliIo } from "../io.ts";
import { type GivenFlags, isSet, lastValue, usageError } from "./arguments.ts";

/** As BuildKit names them. */
export const progressModes = ["auto", "plain", "tty", "rawjson", "quiet"] as const;

export type ProgressMode = (typeof progressModes)[number];

/** The flag's variable, as BuildKit's clients read it. */
const variable = "BUILDKIT_PROGRESS";

/**
 * How a command tells how it goes: --quiet, else --progress, else BUILDKIT_PROGRESS. Errors: `usage` for one that is none,
 * and for --quiet beside another.
 */
export function readProgress(line: GivenFlags, io: Pick<CliIo, "env">): ProgressMode {
  const flag = lastValue(line, "progress");
  const mode = flag === undefined ? undefined : readMode(flag, `--progress ${flag}`);
  if (isSet(line, "quiet")) {
    if (mode === undefined || mode === "auto" || mode === "quiet") return "quiet";
    throw usageError(
      `--progress ${mode} and --quiet contradict each other`,
      "leave one of them out",
    );
  }
  if (mode !== undefined) return mode;
  const ofEnvironment = io.env[variable];
  if (ofEnvironment === undefined || ofEnvironment === "") return "auto";
  return readMode(ofEnvironment, `${variable}=${ofEnvironment}`);
}

function readMode(text: string, given: string): ProgressMode {
  const mode = progressModes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw usageError(`${given} is no way to show progress`, `use ${progressModes.join(", ")}`);
}
