import { describeEvents } from "../../pipeline/pipeline.ts";
import {
  fetchSource,
  fetchText,
  type FetchPlace,
  describeSource,
  nameSourcePlace,
  nameSource,
  parseSource,
  type RemoteSource,
} from "../../sources/sources.ts";
import { beginRun, explainFull, openStore, removeSilentRuns } from "../../store/store.ts";
import type { CliIo } from "../io.ts";
import { usageError } from "../line/arguments.ts";
import { parseCount } from "../line/values.ts";
import { inStep, type Step } from "../../reporter.ts";
import type { ProgressMode } from "../line/progress.ts";
import { createReporter } from "../report/reporter.ts";
import { shareContext, takeContext } from "./fetched-contexts.ts";
import type { LocateOptions, Sources } from "./locate.ts";
import { findStoreDirectory } from "./store-directory.ts";

export interface FetchOptions {
  /** How it is told. */
  readonly progress: ProgressMode;
}

/**
 * A context that is elsewhere, as a directory of a run of the store: it goes when the command ends, or, where that is
 * killed, with what the next one cleans up. Each is fetched once in a command. Errors: `context-*`, `usage`, `store-*`,
 * the signal's reason.
 */
export async function fetchContext(
  operand: string,
  options: FetchOptions,
  io: CliIo,
): Promise<NonNullable<LocateOptions["fetched"]>> {
  const source = parseSource(operand);
  const given = takeContext(operand, io.env);
  if (given !== undefined) return given;
  return shareContext(operand, async (forget) => {
    io.atEnd(async () => forget());
    const { context, archive } = await inRun(
      { source, ...options },
      (place) => fetchSource(source, place, process.stdin),
      io,
    );
    const { kind } = source;
    const identity = kind === "input" ? `- ${io.cwd}` : nameSourcePlace(source);
    return { context, identity, as: { kind, archive } };
  });
}

/** A Containerfile behind a URL. Errors: as above. */
export async function fetchContainerfile(
  address: string,
  options: FetchOptions,
  io: CliIo,
): Promise<Pick<Sources, "file" | "bytes">> {
  const source = parseSource(address);
  if (source.kind !== "http") {
    throw usageError(`-f ${nameSource(source)} is a repository`, "name it as the context");
  }
  const bytes = await inRun({ source, ...options }, (place) => fetchText(source, place), io);
  return { file: nameSource(source), bytes };
}

/** Fetches into a run's directory. */
async function inRun<T>(
  { source, progress }: FetchOptions & { readonly source: RemoteSource },
  fetchIt: (place: FetchPlace) => Promise<T>,
  io: CliIo,
): Promise<T> {
  const { env, signal } = io;
  const timeout = parseCount(env[timeoutVariable] ?? "120", timeoutVariable) * 1000;
  // The engine's output is to be the same as without us where there is no OUTPUT.
  const reporter = createReporter({ ...io, stdout: io.stderr }, { progress });
  const store = await openStore(findStoreDirectory(io), describeEvents({ reporter, signal }));
  // Where no build of ours follows, nobody else would.
  await removeSilentRuns(store);
  const run = await beginRun(store);
  io.atEnd(() => run.end());
  const fetchHere = (step: Step): Promise<T> => {
    const onProgress = (now: string): void => step.progress({ now });
    return fetchIt({ directory: run.directory, env, timeout, signal, onProgress });
  };
  try {
    return await inStep(`Fetching the context ${describeSource(source)}`, fetchHere, { reporter });
  } catch (error) {
    throw explainFull(store, error);
  }
}

const timeoutVariable = "XBUILD_REGISTRY_TIMEOUT";
