import { realpath } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import type { ImageName } from "../../oci/oci.ts";
import type { Sources } from "./locate.ts";

/**
 * What says that two builds are of the same file and context, whatever tag they give: their paths, links followed, that of
 * a file in the context from there; of a context that is elsewhere its address. A file that has neither (standard input, a pipe) is known
 * by its origin, else by the repository of the first name.
 */
export async function identifySource(
  sources: Omit<Sources, "bytes">,
  [first]: readonly ImageName[],
): Promise<readonly string[]> {
  const { context, identity, fetched, isPrivate = false, origin } = sources;
  const isKept = fetched === undefined && !isPrivate;
  const place = isKept ? await resolveLinks(context) : identity;
  const file = await identifyFile(sources, place);
  if (file !== undefined) return [file, place];
  const name = first === undefined ? "" : `${first.registry}/${first.repository}`;
  return ["-", place, origin ?? name];
}

async function identifyFile(
  { file, path, context, fetched, isPipe = false }: Omit<Sources, "bytes">,
  place: string,
): Promise<string | undefined> {
  if (isPipe || file === "-") return undefined;
  if (path === undefined) return file;
  if (fetched !== undefined) return path.startsWith(`${context}/`) ? relative(context, path) : path;
  const real = await resolveLinks(path);
  const inside = relative(place, real);
  return inside.startsWith("..") || isAbsolute(inside) ? real : inside;
}

/** What is removed meanwhile is known by its name. */
function resolveLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
