import { posix } from "node:path";
import { isRemoteContext } from "../request/locate.ts";
import { idOf, joinEntries, renderEntry, typeOf } from "./merge.ts";
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
    ...uniteEntries(target),
    context: toLocalPath(target.context ?? "."),
    ...(contexts.length === 0 ? {} : { contexts: Object.fromEntries(contexts) }),
    ...(target.network === "host" ? { entitlements: addHost(target.entitlements) } : {}),
  };
}

/** Of equal entries one, of secrets and the like the last of a name. */
function uniteEntries(target: BakeTarget): Partial<BakeTarget> {
  return {
    ...(target.secret && { secret: joinEntries(target.secret, [], idOf) }),
    ...(target.ssh && { ssh: joinEntries(target.ssh, [], idOf) }),
    ...(target.attest && { attest: joinEntries(target.attest, [], typeOf) }),
    ...(target.output && { output: joinEntries(target.output, [], renderEntry) }),
    ...(target["cache-from"] && {
      "cache-from": joinEntries(target["cache-from"], [], renderEntry),
    }),
    ...(target["cache-to"] && { "cache-to": joinEntries(target["cache-to"], [], renderEntry) }),
  };
}

/** Bake files that lie elsewhere name paths of this machine so. */
const local = "cwd://";

/** A path without `cwd://` and in its shortest form; what is elsewhere, as it is. */
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
