import { realpath } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import type { ImageName } from "../../oci/oci.ts";
import type { Sources } from "./locate.ts";

/**
 * What says that two builds are of the same file and context, whatever tag they give: their paths, links followed, that of
 * a file in the context from there. A file that has no path (standard input, a pipe) is known by its origin, else by the
 * repository of the first name.
 */
export async function identifySource(
  { path, isPipe, origin, context }: Pick<Sources, "path" | "isPipe" | "origin" | "context">,
  [first]: readonly ImageName[],
): Promise<readonly string[]> {
  const place = await resolveLinks(context);
  if (path !== undefined && isPipe !== true) {
    const file = await resolveLinks(path);
    const inside = relative(place, file);
    return [inside.startsWith("..") || isAbsolute(inside) ? file : inside, place];
  }
  const name = first === undefined ? "" : `${first.registry}/${first.repository}`;
  return ["-", place, origin ?? name];
}

/** What is removed meanwhile is known by its name. */
function resolveLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
