import { XbuildError } from "../../errors.ts";
import { hasInOrder, textBetween } from "../../text.ts";
import type { BuildCall } from "./commands.ts";
import type { RunResult } from "./run.ts";
import { isStorageRace } from "./storage-races.ts";

/** What engines say when they cannot start a container at all, as against a step that fails. */
const cannotRun =
  /error running container: from|did not get container create message|while running runtime|creating container for/i;
const privileged = /cannot clone|unshare\(|setrlimit|newuidmap/i;

const damagedHint =
  "build again when no other process removes images of this storage; if that does not help, one of its images is damaged: remove it";

/** The error for an engine's build that ended with a status of its own, or with none. */
export function describeFailure(build: BuildCall, engine: string, result: RunResult): XbuildError {
  const exitStatus = result.status === 0 ? 1 : result.status;
  const isRefused = hasInOrder(result.tail, privileged, /not permitted|denied/i);
  if (isRefused || cannotRun.test(result.tail)) {
    return new XbuildError(
      "engine-cannot-run",
      `${engine} could not start a container (${build.purpose})`,
      {
        hint: "set BUILDAH_ISOLATION=chroot (or give --isolation=chroot), which needs no container runtime",
        exitStatus,
      },
    );
  }
  const step = textBetween(result.tail, 'building at STEP "', '": ');
  const place = step === undefined ? undefined : build.locate(step);
  const message = `${engine} failed with exit status ${exitStatus} (${build.purpose})`;
  const hint = isStorageRace(result) ? damagedHint : "see what the step printed above";
  return new XbuildError("step-failed", message, {
    exitStatus,
    hint,
    ...(place === undefined
      ? {}
      : { diagnostics: [{ code: "step-failed", severity: "error", message, hint, ...place }] }),
  });
}
