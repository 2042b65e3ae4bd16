import { chmod, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Containerfile } from "../../containerfile/containerfile.ts";
import { splitName } from "../../oci/oci.ts";
import type { Step } from "../../reporter.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { identifyProcess } from "../programs/processes.ts";
import type { SessionWorkspace } from "../model.ts";
import { noteKeys } from "../notes.ts";
import type { BuildKitClient } from "./client.ts";
import { describeFailure } from "./failures.ts";
import { type GivenCredentials, writeDockerConfig } from "./docker-config.ts";
import { assertInheritable, hideArguments, listHidden } from "./hide-arguments.ts";
import { isThere } from "./is-there.ts";
import { removeOrphans } from "./pass-directory.ts";
import { createProgress } from "./progress.ts";
import { type ClientRun, runClient } from "./run-client.ts";
import type { CallFiles, SolveCall } from "./solve-call.ts";

/** What a call tells, and whom. */
export interface SolveTelling {
  /** Whose lines errors name. */
  readonly containerfile: Containerfile;
  /** A line of the text that is none of its, if there is one. */
  readonly extraLine?: number | undefined;
  readonly progress?: Step["progress"] | undefined;
  /** Steps that were told of already. */
  readonly told: Set<string>;
  /** A step as the user wrote it; undefined for one that is not to be told of. */
  readonly show: (name: string) => string | undefined;
  /** What is in the names of the steps behind all of the user's. */
  readonly mark?: string | undefined;
  readonly onStarted?: (() => void) | undefined;
  /** Told of each call that ends well, when its steps are over or some time after that. */
  readonly onStepsOver?: (() => void) | undefined;
  readonly receive?: ClientRun["receive"];
}

/** Seconds of silence; while a step runs, of questions without an answer. */
const stallTime = 300;

/** Has a builder do a call. Errors: `step-failed`, `builder-lost`, `engine-failed`, `engine-cannot-run`, `usage`. */
export async function solve(
  { call, client }: { readonly call: SolveCall; readonly client: BuildKitClient },
  telling: SolveTelling,
  { run, reporter, signal }: SessionWorkspace,
): Promise<void> {
  await removeOrphans();
  const directory = await mkdtemp(join(run.directory, "solve-"));
  try {
    const fitted = client.program === "buildctl" ? hideArguments(call) : call;
    if (client.program === "buildx") assertInheritable(listHidden(call), process.env);
    const files = await writeFiles(fitted, join(directory, "file"));
    const progress = createProgress({ ...telling, log: reporter.log });
    const invocation = client.renderBuild(fitted, files);
    const config = await writeDockerConfig(listCredentials(fitted), directory, process.env);
    const env = { ...invocation.env, ...config };
    const result = await runClient(
      { ...invocation, env },
      {
        progress,
        signal,
        receive: telling.receive,
        stallTime: readStallTime() * 1000,
        isThere: (ended) => isThere(client, env, ended),
        started: async (pid) => {
          telling.onStarted?.();
          const identity = identifyProcess(pid);
          if (identity !== undefined) await run.note(noteKeys.process, identity);
        },
      },
    );
    signal.throwIfAborted();
    if (result.status === 0) return progress.end();
    const { containerfile, extraLine } = telling;
    const [failed, tail] = [progress.failed(), progress.tail()];
    throw describeFailure({ call, client, result, failed, tail, containerfile, extraLine });
  } finally {
    reporter.log.end?.();
    await removeTree(directory);
  }
}

function listCredentials({ flags, sources }: SolveCall): GivenCredentials {
  const hosts = [...sources.values()].flatMap((one) =>
    one.kind === "registry" ? [splitName(one.name).host] : [],
  );
  return { flags, hosts };
}

function readStallTime(): number {
  const seconds = Number(process.env["XBUILD_STALL_TIMEOUT"] ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds : stallTime;
}

/**
 * The file, and beside it what is left out of the context: BuildKit looks there first. A builder may ask for all of this
 * directory, so nothing else stands in it.
 */
async function writeFiles(call: SolveCall, directory: string): Promise<CallFiles> {
  await mkdir(directory, { mode: 0o700 });
  const name = "Containerfile";
  const ignored = call.ignoreFile === undefined ? "" : await readFile(call.ignoreFile);
  await writeFile(join(directory, name), call.text, "latin1");
  await writeFile(join(directory, `${name}.dockerignore`), ignored);
  await chmod(join(directory, name), 0o644);
  return { directory, name };
}
