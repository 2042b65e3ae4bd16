import { isJsonObject, maxDocumentSize, tryParseJson } from "../oci/oci.ts";
import { createAnswerError, createRegistryError } from "./failures.ts";
import type { HttpResponse } from "./http.ts";
import { tagsPath } from "./paths.ts";
import type { Registries } from "./registries.ts";

/** A registry that goes on after so many pages has more tags than anybody looks through. */
const maxPages = 100;

/**
 * The tags of a repository (`host[:port]/ns/repo`) in the registry itself, mirrors aside; none where it says that there is
 * no such repository (404). distribution-spec v1.1, "Listing Tags".
 */
export async function listTags(registries: Registries, name: string): Promise<readonly string[]> {
  const [location] = await registries.locate(name, "pull");
  if (location === undefined) return [];
  const { repository } = location;
  const { request, pathOf } = await registries.open(location);
  const scopes = [`repository:${repository}:pull`];
  const tags: string[] = [];
  let path = tagsPath(repository);
  for (let page = 0; page < maxPages; page += 1) {
    const maxBody = maxDocumentSize + 1;
    const response = await request({ method: "GET", path, repository, scopes, maxBody });
    if (response.status === 404) return tags;
    if (response.status !== 200) throw createAnswerError(response);
    tags.push(...readTags(response));
    const next = readNext(response);
    if (next === undefined) return tags;
    path = pathOf(next);
    if (!path.startsWith("/"))
      throw createRegistryError("corrupt", "its list of tags goes on elsewhere");
  }
  throw createRegistryError("corrupt", `its list of tags has more than ${maxPages} pages`);
}

function readTags({ body }: HttpResponse): readonly string[] {
  const document = body.byteLength > maxDocumentSize ? undefined : tryParseJson(body);
  const tags = isJsonObject(document) ? document["tags"] : undefined;
  // Of a repository that is empty.
  if (tags === null) return [];
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string")) return tags;
  throw createRegistryError("corrupt", "its list of tags is none");
}

/** The address of the next page. RFC 8288 */
function readNext({ headers }: HttpResponse): string | undefined {
  const link = headers["link"] ?? "";
  const [address = "", relation = ""] = link.split(">;", 2);
  const isNext = address.startsWith("<") && /^\s*rel="?next"?/.test(relation);
  return isNext ? address.slice(1) : undefined;
}
