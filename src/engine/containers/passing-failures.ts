import { setTimeout as sleep } from "node:timers/promises";
import { parseContainerfile } from "../../containerfile/containerfile.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { hasInOrder, textBetween } from "../../text.ts";
import type { BuildCall, CallContext } from "./commands.ts";
import type { RunResult } from "../programs/run.ts";
import { squeeze } from "./sent-steps.ts";

/** How often a build is begun in all, and milliseconds before the second time; twice as many before each further one. */
const attempts = 5;
const firstPause = 200;

type SentBuild = Pick<BuildCall, "mode" | "text">;

/**
 * What ends a build though no step has failed, and is gone a moment later. Steps before are in the cache: the build goes
 * on where it was. Where steps are not kept there, what they wrote stands, and only the image behind them is made again.
 */
export async function pastPassingFailures(
  run: (build: BuildCall, log?: CallContext["log"]) => Promise<RunResult>,
  build: BuildCall,
  { log, signal, warn }: Pick<CallContext, "log" | "signal" | "warn">,
): Promise<RunResult> {
  // What it says again is of stages that the user does not know.
  const quiet: CallContext["log"] = { ...log, stdout: () => undefined };
  let [call, shown] = [build, log];
  for (let attempt = 1; ; attempt += 1) {
    const result = await run(call, shown);
    const warning = describePassing(result, call);
    if (warning === undefined || attempt === attempts) return result;
    warn?.(warning);
    await sleep(firstPause * 2 ** (attempt - 1), undefined, { signal });
    const { mode, lastStage } = call;
    if (mode === "single" && lastStage !== undefined && isCommitRace(result))
      [call, shown] = [{ ...call, text: lastStage, quiet: true }, quiet];
  }
}

/** What is told before a build is tried again, where that helps. */
export function describePassing(
  result: RunResult,
  { mode, text, lastStage }: SentBuild & Pick<BuildCall, "lastStage">,
): Diagnostic | undefined {
  if (mode === "cached" ? isStorageRace(result) : isCommitRace(result) && lastStage !== undefined)
    return storageBusy;
  return isStartBusy(result) && (mode === "cached" || ranNothing(result, text))
    ? startBusy
    : undefined;
}

export const storageBusy: Diagnostic = {
  code: "engine-storage-busy",
  severity: "warning",
  message: "an image was removed while the engine worked on its storage: trying again",
};

const startBusy: Diagnostic = {
  code: "engine-start-busy",
  severity: "warning",
  message: "the kernel did not let the engine begin a step: trying again",
};

/** What an engine was at: never a step itself. */
const lookingUp =
  /checking if cached image exists from a previous build|preparing container for next step|creating build container|getting history of base image|mounting new container/;
const committing = /committing container for step/;
const gone = /(?:image|layer) not known/;

/**
 * Whether a build ended because an image went away beside it. The engines look through all images of the storage for a
 * step that was built before, and end the build where another process removes one meanwhile (tried with buildah 1.28:
 * "getting top layer info: layer not known"), or one that was just found. There is no status for it.
 */
export function isStorageRace(result: RunResult): boolean {
  return isCommitRace(result) || saysGone(result, lookingUp);
}

/**
 * The same of the image that is made: layers of the storage are named by what they and those below them hold, so images
 * that are made side by side from one base share those that are alike (steps that change no file of it have an empty
 * one), and one that another process's image had a moment ago is gone with that image.
 */
function isCommitRace(result: RunResult): boolean {
  return saysGone(result, committing);
}

function saysGone({ status, tail }: RunResult, doing: RegExp): boolean {
  if (status === 0) return false;
  // The engine's last word: what a step prints stands before what is said of its end.
  const line = tail.trimEnd().split("\n").at(-1) ?? "";
  return line.startsWith("Error: ") && hasInOrder(line, doing, gone);
}

/**
 * Whether a build ended before a step's process was there. With the isolation `chroot` the engine starts itself from a
 * sealed copy in memory (containers/storage, pkg/unshare/unshare.c), and the kernel refuses the seal with EBUSY while
 * a page of the copy is in use elsewhere (fcntl(2), F_ADD_SEALS; it waits for 150 ms). The engine gives up at once.
 */
function isStartBusy({ status, tail }: RunResult): boolean {
  return status !== 0 && /^\w+ sealing memfd copy: Device or resource busy$/m.test(tail);
}

/**
 * Whether the step that could not begin was the first that runs something: in one working container what earlier ones
 * wrote into its mounts stays.
 */
function ranNothing({ tail }: RunResult, text: string): boolean {
  const [first, ...others] = parseContainerfile(Buffer.from(text, "latin1"), "sent")
    .instructions.filter(({ keyword }) => keyword === "RUN")
    .map((one) => squeeze(one.text));
  if (others.length === 0) return true;
  const step = textBetween(tail, stepQuotes.before, stepQuotes.after);
  return step !== undefined && squeeze(step) === first && !others.includes(first);
}

/** Between what the engines name a step that failed. */
export const stepQuotes = { before: 'building at STEP "', after: '": ' };
