import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  createIgnoreMatcher,
  hasExceptions,
  parseIgnoreFile,
} from "../containerfile/containerfile.ts";
import { type ContextHash, hashContext, type WalkOptions } from "../context/context.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { type BuildPlan, listPlans } from "../plan/plan.ts";
import { inBriefStep } from "../reporter.ts";
import { contextCachePath, isForeign } from "../store/store.ts";
import { systemCode } from "../system/errno.ts";
import { limitText } from "../text.ts";
import type { BuildRequest } from "./request.ts";
import { type DirectoryRead, selectDirectories } from "./select-directories.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** Hashes of directories that the build reads, by their roles. */
export async function hashDirectories(
  reads: readonly DirectoryRead[],
  { steps }: BuildRequest,
  { store, signal, shared, reporter, before }: HashingWorkspace,
): Promise<ReadonlyMap<string, ContextHash>> {
  const ignore = reads.some((one) => one.isFiltered)
    ? await readIgnoreFile(steps.ignoreFile)
    : keepAll;
  const isKept = !isForeign(store);
  const hashed = await Promise.all(
    reads.map(async (read): Promise<Hashed> => {
      const { role, path, only } = read;
      // Digests of files that did not change are remembered in the store.
      const isPassing = steps.passing?.has(path) === true;
      const cache = isKept && !isPassing ? { cache: contextCachePath(store, nameCache(read)) } : {};
      const walk = read.isFiltered
        ? { ...ignore, followsLinks: read.hasPatterns }
        : { ...keepAll, withRoot: true, withOwners: true };
      const options = { ...walk, ...cache, only, signal, before: before?.get(role) };
      const hash = (): Promise<ContextHash | undefined> =>
        inBriefStep(
          `Hashing ${path}`,
          ({ progress: onProgress }) => hashPresent(path, { ...options, onProgress }, role),
          { reporter },
        );
      if (before !== undefined) return [role, await hash()];
      const key = JSON.stringify([read, read.isFiltered ? steps.ignoreFile : undefined]);
      return [role, await shared.hashDirectory(key, hash)];
    }),
  );
  return new Map(hashed.flatMap(([role, hash]) => (hash === undefined ? [] : [[role, hash]])));
}

/**
 * Looks whether the directories that a build reads are there, and whether its ignore file can be read, and reads nothing
 * else. Errors: `context-not-found`, `ignore-file-invalid`.
 */
export async function assertDirectories(plan: BuildPlan, request: BuildRequest): Promise<void> {
  const reads = listPlans(plan).flatMap((one) => selectDirectories(one, request, new Map()) ?? []);
  if (reads.some((one) => one.isFiltered)) await readIgnoreFile(request.steps.ignoreFile);
  for (const { role, path } of reads) if (!existsSync(path)) throw missingDirectory(role, path);
}

/** What others read of the same directory has a cache of its own: each keeps what it has seen. */
function nameCache({ path, only, isFiltered }: DirectoryRead): string {
  return only === undefined && isFiltered ? path : JSON.stringify([path, only ?? [], isFiltered]);
}

export interface HashingWorkspace extends Pick<
  BuildWorkspace,
  "store" | "signal" | "shared" | "reporter"
> {
  /** What they were a moment ago: what has not moved since is not read again. */
  readonly before?: ReadonlyMap<string, ContextHash>;
}

type Hashed = readonly [role: string, hash: ContextHash | undefined];

/** undefined for one that has gone since it was looked at before: whoever compares says so. */
async function hashPresent(
  path: string,
  options: Parameters<typeof hashContext>[1],
  role: string,
): Promise<ContextHash | undefined> {
  try {
    return await hashContext(path, options);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || existsSync(path)) throw error;
    if (options.before !== undefined) return undefined;
    throw missingDirectory(role, path);
  }
}

function missingDirectory(role: string, path: string): XbuildError {
  const [kind = "", name = path] = role.replace(/^mounted /, "").split(" ");
  const what =
    kind === "volume" ? `the volume's directory ${path}` : `the context ${name} (${path})`;
  return new XbuildError("context-not-found", `${what} does not exist`, {
    hint: "check the path",
    exitStatus: exitStatuses.usage,
  });
}

const keepAll: WalkOptions = { ignore: () => false, hasExceptions: false, rules: "" };

async function readIgnoreFile(path: string | undefined): Promise<WalkOptions> {
  if (path === undefined) return keepAll;
  const rules = await readFile(path, "utf8");
  const patterns = parseIgnoreFile(rules);
  try {
    return { ignore: createIgnoreMatcher(patterns), hasExceptions: hasExceptions(patterns), rules };
  } catch (error) {
    const reason = error instanceof Error ? limitText(error.message, 200) : "";
    throw new XbuildError("ignore-file-invalid", `${path}: ${reason}`, {
      hint: "correct the pattern, or put a \\ before a character that stands for itself",
      exitStatus: exitStatuses.usage,
      cause: error,
    });
  }
}
