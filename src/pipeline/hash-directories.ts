import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  createIgnoreMatcher,
  hasExceptions,
  parseIgnoreFile,
} from "../containerfile/containerfile.ts";
import { type ContextHash, hashContext, type WalkOptions } from "../context/context.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { StepsRequest } from "../engine/engine.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { contextCachePath } from "../store/store.ts";
import { systemCode } from "../system/errno.ts";
import { limitText } from "../text.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * Hashes of the directories whose content the build depends on, by a name that tells their role:
 * the build context, named contexts and read-only volumes. undefined where one cannot be known: a
 * volume that the build may write, a named context that is no directory of this machine.
 */
export async function hashDirectories(
  plan: BuildPlan,
  { steps }: BuildRequest,
  { store, signal, before }: HashingWorkspace,
): Promise<ReadonlyMap<string, ContextHash> | undefined> {
  const volumes = listVolumes(steps);
  const contexts = plan.contexts.map(
    (name) => [name, steps.buildContexts.get(name) ?? ""] as const,
  );
  const local = contexts.filter(([, value]) => !value.startsWith("docker-image://"));
  if (volumes === undefined || local.some(([, value]) => value.includes("://"))) return undefined;
  const ignore = await readIgnoreFile(steps.ignoreFile);
  /** Digests of files that did not change are remembered in the store. */
  const hashOne = async (role: string, path: string, walk: WalkOptions): Promise<Hashed> => {
    const cache = contextCachePath(store, path);
    const options = { ...walk, signal, cache, before: before?.get(role) };
    return [role, await hashPresent(path, options, role)];
  };
  const hashed = await Promise.all([
    ...(plan.readsContext ? [hashOne("context", steps.context, ignore)] : []),
    ...local.map(([name, path]) => hashOne(`context ${name}`, path, keepAll)),
    ...volumes.map((path) => hashOne(`volume ${path}`, path, keepAll)),
  ]);
  return new Map(hashed.flatMap(([role, hash]) => (hash === undefined ? [] : [[role, hash]])));
}

export interface HashingWorkspace extends Pick<BuildWorkspace, "store" | "signal"> {
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
    const [kind = "", name = path] = role.split(" ");
    const what =
      kind === "volume" ? `the volume's directory ${path}` : `the ${kind} ${name} (${path})`;
    throw new XbuildError("context-not-found", `${what} does not exist`, {
      hint: "check the path",
      exitStatus: exitStatuses.usage,
    });
  }
}

const keepAll: WalkOptions = { ignore: () => false };

async function readIgnoreFile(path: string | undefined): Promise<WalkOptions> {
  if (path === undefined) return keepAll;
  const patterns = parseIgnoreFile(await readFile(path, "utf8"));
  try {
    return { ignore: createIgnoreMatcher(patterns), hasExceptions: hasExceptions(patterns) };
  } catch (error) {
    const reason = error instanceof Error ? limitText(error.message, 200) : "";
    throw new XbuildError("ignore-file-invalid", `${path}: ${reason}`, {
      hint: "correct the pattern, or put a \\ before a character that stands for itself",
      exitStatus: exitStatuses.usage,
      cause: error,
    });
  }
}

/** Host paths of `--volume HOST:CONTAINER[:OPTIONS]`, or undefined where the build may write one. */
function listVolumes({ flags }: StepsRequest): readonly string[] | undefined {
  const values = flags.step.flatMap((flag) =>
    flag.startsWith("--volume=") ? [flag.slice("--volume=".length)] : [],
  );
  // After `--` a volume may be given in other forms; what it is, is then not looked into.
  if (flags.step.some((flag) => /^(?:-v|--volume$)/.test(flag))) return undefined;
  const parsed = values.map((value) => value.split(":"));
  const writable = parsed.some(
    ([, , options = ""]) => !options.split(",").some((one) => one === "ro" || one === "O"),
  );
  return writable
    ? undefined
    : parsed.flatMap(([host = ""]) => (host.startsWith("/") ? [host] : []));
}
