import { statSync } from "node:fs";
import { join } from "node:path";
import { exitStatuses, XbuildError } from "../errors.ts";
import { findRealPath } from "../system/real-path.ts";

/**
 * The real path of what a fetched context is said to have: a link in it may lead anywhere, and what is not in it is
 * nobody's to name. undefined where there is nothing. Errors: `context-not-found` for what lies outside.
 */
export function findInside(root: string, path: string, where: string): string | undefined {
  const [realRoot, real] = [findRealPath(root), findRealPath(join(root, path))];
  if (realRoot === undefined || real === undefined) return undefined;
  if (`${real}/`.startsWith(`${realRoot}/`)) return real;
  throw new XbuildError("context-not-found", `${path} leads out of the context ${where}`, {
    hint: "name a file in the context",
    exitStatus: exitStatuses.usage,
  });
}

/** The same for a directory that must be there. Errors: `context-not-found` */
export function assertInside(
  root: string,
  path: string,
  { what, where }: { readonly what: string; readonly where: string },
): string {
  const found = findInside(root, path, where);
  if (found !== undefined && statSync(found).isDirectory()) return found;
  const message =
    found === undefined ? `${where} does not have ${what}` : `${what} is a file in ${where}`;
  throw new XbuildError("context-not-found", message, {
    hint: "name a directory of it",
    exitStatus: exitStatuses.usage,
  });
}
