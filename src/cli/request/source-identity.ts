import { realpath } from "node:fs/promises";
import { relative } from "node:path";
import type { ImageName } from "../../oci/oci.ts";
import type { Sources } from "./locate.ts";

/**
 * What says that two builds are of the same file and context, whatever tag they give: their paths, links followed; of what
 * is elsewhere its address, and of a file in it the path there. A file that has neither (standard input, a pipe) is known
 * by its origin, else by the repository of the first name.
 */
export async function identifySource(
  sources: Omit<Sources, "bytes">,
  [first]: readonly ImageName[],
): Promise<readonly string[]> {
  const { context, identity, fetched, origin } = sources;
  const place = fetched === undefined ? await resolveLinks(context) : identity;
  const file = await identifyFile(sources);
  if (file !== undefined) return [file, place];
  const name = first === undefined ? "" : `${first.registry}/${first.repository}`;
  return ["-", place, origin ?? name];
}

async function identifyFile({
  file,
  path,
  context,
  fetched,
  isPipe = false,
}: Omit<Sources, "bytes">): Promise<string | undefined> {
  if (isPipe || file === "-") return undefined;
  if (path === undefined) return file;
  const isInside = fetched !== undefined && path.startsWith(`${context}/`);
  return isInside ? relative(context, path) : resolveLinks(path);
}

/** What is removed meanwhile is known by its name. */
function resolveLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
