import type { ErrorCode } from "../../codes.ts";
import { XbuildError } from "../../errors.ts";
import { hasInOrder, textBetween } from "../../text.ts";
import type { BuildCall } from "./commands.ts";
import { describeRemedy, findRefusedLimit } from "./limits.ts";
import { findMissingHelper } from "./missing-helper.ts";
import type { RunResult } from "../programs/run.ts";
import { isStorageRace, stepQuotes } from "./passing-failures.ts";
import { describeUnusable } from "../programs/unusable.ts";

/**
 * What engines say when they cannot start a container at all, as against a step that fails: that is `while running
 * runtime: exit status N`, and nothing else, where a runtime ran it.
 */
const cannotRun = /error running container: from|did not get container create message/i;
const privileged = /cannot clone|unshare\(|newuidmap/i;

const damagedHint =
  "build again when no other process removes images of this storage; if that does not help, one of its images is damaged: remove it";

/** The error for an engine's build that ended with a status of its own, or with none. */
export function describeFailure(build: BuildCall, engine: string, result: RunResult): XbuildError {
  const exitStatus = result.status === 0 ? 1 : result.status;
  const unusable = describeUnusable(engine, { text: result.tail, exitStatus });
  if (unusable !== undefined) return unusable;
  const refused = describeRefusal(build, engine, result.tail);
  if (refused !== undefined) {
    const { code, message, hint } = refused;
    return new XbuildError(code, message, { hint, exitStatus });
  }
  const step = textBetween(result.tail, stepQuotes.before, stepQuotes.after);
  const isRace = isStorageRace(result);
  if (step === undefined && exitStatus === wrongUsage && !isRace)
    return describeWrongUsage(build, engine);
  const place = step === undefined ? undefined : build.locate(step);
  const message = `${engine} failed with exit status ${exitStatus} (${build.purpose})`;
  const missing = findMissingHelper(build, { status: exitStatus, step });
  const hint = isRace ? damagedHint : (missing ?? adviseLook(build));
  return new XbuildError("step-failed", message, {
    exitStatus,
    hint,
    ...(place === undefined
      ? {}
      : { diagnostics: [{ code: "step-failed", severity: "error", message, hint, ...place }] }),
  });
}

/** The engines' exit status for a command line that they do not take. */
const wrongUsage = 125;

/** Of no step. */
function describeWrongUsage({ purpose }: BuildCall, engine: string): XbuildError {
  const message = `${engine} failed with exit status ${wrongUsage} (${purpose})`;
  return new XbuildError("engine-failed", message, {
    exitStatus: wrongUsage,
    hint: "see what it printed above: it may not know a flag, or take its value",
  });
}

/** What helps most where nothing else is known: to look. */
function adviseLook({ mode, keepsContainer }: BuildCall): string {
  const look = "see what the step printed above";
  if (keepsContainer === true) return look;
  const output = mode === "single" ? " (--keep-output DIR keeps what it wrote)" : "";
  return `${look}, or look around there with --on-error=shell${output}`;
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What keeps the engine from starting a container, if it is that. */
function describeRefusal(
  { purpose }: BuildCall,
  engine: string,
  tail: string,
): Refusal | undefined {
  const limit = findRefusedLimit(tail);
  if (limit !== undefined) {
    return {
      code: "engine-limits",
      message: `${engine} may not set the limit ${limit} of a container's processes (${purpose})`,
      hint: describeRemedy(limit),
    };
  }
  if (!cannotRun.test(tail) && !hasInOrder(tail, privileged, /not permitted|denied/i)) {
    return undefined;
  }
  return {
    code: "engine-cannot-run",
    message: `${engine} could not start a container (${purpose})`,
    hint: "set BUILDAH_ISOLATION=chroot (or give --isolation=chroot), which needs no container runtime",
  };
}
