import { posix } from "node:path";
import { isRemoteContext } from "../request/locate.ts";
import type { BakeTarget } from "./schema.ts";

/**
 * A target as buildx prints it in the end: paths in their shortest form, contexts that were taken away by an empty
 * value gone, and what a network needs leave for.
 */
export function normaliseTarget(target: BakeTarget): BakeTarget {
  const contexts = Object.entries(target.contexts ?? {}).filter(([, value]) => value !== "");
  const { contexts: _, ...rest } = target;
  return {
    ...rest,
    context: toLocalPath(target.context ?? "."),
    ...(contexts.length === 0 ? {} : { contexts: Object.fromEntries(contexts.map(localise)) }),
    ...(target.network === "host" ? { entitlements: addHost(target.entitlements) } : {}),
  };
}

function localise([name, value]: readonly [string, string]): readonly [string, string] {
  return [name, value.startsWith(local) ? toLocalPath(value) : value];
}

/** Bake files that lie elsewhere name paths of this machine so. */
const local = "cwd://";

/** A path without `cwd://` and in its shortest form; what only the engine can read, as it is. */
export function toLocalPath(path: string): string {
  if (path.startsWith(local)) return shorten(path.slice(local.length));
  return isRemoteContext(path) ? path : shorten(path);
}

function shorten(path: string): string {
  const whole = posix.normalize(path || ".");
  return whole.endsWith("/") && whole !== "/" ? whole.slice(0, -1) : whole;
}

function addHost(entitlements: readonly string[] = []): string[] {
  return [...new Set([...entitlements, "network.host"])];
}
