import { realpath } from "node:fs/promises";
import type { ImageName } from "../../oci/oci.ts";
import type { Sources } from "./locate.ts";

/**
 * What says that two builds are of the same file and context, whatever tag they give: their paths, links followed. A file
 * that has no path (standard input, a pipe) is known by its origin, else by the repository of the first name.
 */
export async function identifySource(
  { path, origin, context }: Pick<Sources, "path" | "origin" | "context">,
  [first]: readonly ImageName[],
): Promise<readonly string[]> {
  const place = await resolveLinks(context);
  if (path !== undefined) return [await resolveLinks(path), place];
  const name = first === undefined ? "" : `${first.registry}/${first.repository}`;
  return ["-", place, origin ?? name];
}

/** What is removed meanwhile is known by its name. */
function resolveLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
