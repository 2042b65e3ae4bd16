import { readFile } from "node:fs/promises";
import { createIgnoreMatcher, hasExceptions, parseIgnoreFile } from "../containerfile/ignore.ts";
import { hashContext, type ContextHash } from "../context/hash.ts";
import type { WalkOptions } from "../context/walk.ts";
import type { BuildPlan } from "../plan/model.ts";
import { contextCachePath, type Store } from "../store/paths.ts";
import type { BuildRequest } from "./request.ts";

/**
 * Hashes of the directories whose content the build depends on, by a name that tells their role:
 * the build context, named contexts and read-only volumes. undefined where one cannot be known: a
 * volume that the build may write, a named context that is no directory of this machine.
 */
export async function hashDirectories(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
): Promise<ReadonlyMap<string, ContextHash> | undefined> {
  const volumes = listVolumes(request);
  const contexts = plan.contexts.map(
    (name) => [name, request.buildContexts.get(name) ?? ""] as const,
  );
  const local = contexts.filter(([, value]) => !value.startsWith("docker-image://"));
  if (volumes === undefined || local.some(([, value]) => value.includes("://"))) return undefined;
  const ignore = await readIgnoreFile(request.ignoreFile);
  const hashed = await Promise.all([
    ...(plan.readsContext ? [hashOne(store, "context", request.context, ignore)] : []),
    ...local.map(([name, path]) => hashOne(store, `context ${name}`, path, keepAll)),
    ...volumes.map((path) => hashOne(store, `volume ${path}`, path, keepAll)),
  ]);
  return new Map(hashed);
}

const keepAll: WalkOptions = { ignore: () => false };

/** Digests of files that did not change are remembered in the store. */
async function hashOne(
  store: Store,
  role: string,
  path: string,
  options: WalkOptions,
): Promise<readonly [string, ContextHash]> {
  return [role, await hashContext(path, { ...options, cache: contextCachePath(store, path) })];
}

async function readIgnoreFile(path: string | undefined): Promise<WalkOptions> {
  if (path === undefined) return keepAll;
  const patterns = parseIgnoreFile(await readFile(path, "utf8"));
  return { ignore: createIgnoreMatcher(patterns), hasExceptions: hasExceptions(patterns) };
}

/** Host paths of `--volume HOST:CONTAINER[:OPTIONS]`, or undefined where the build may write one. */
function listVolumes(request: BuildRequest): readonly string[] | undefined {
  const values = request.flags.step.flatMap((flag) =>
    flag.startsWith("--volume=") ? [flag.slice("--volume=".length)] : [],
  );
  // After `--` a volume may be given in other forms; what it is, is then not looked into.
  if (request.flags.step.some((flag) => /^(?:-v|--volume$)/.test(flag))) return undefined;
  const parsed = values.map((value) => value.split(":"));
  const writable = parsed.some(
    ([, , options = ""]) => !options.split(",").some((one) => one === "ro" || one === "O"),
  );
  return writable
    ? undefined
    : parsed.flatMap(([host = ""]) => (host.startsWith("/") ? [host] : []));
}
