import { splitReference } from "../../copy/copy.ts";
import type { HistorySource } from "../../pipeline/pipeline.ts";
import { isPattern } from "../bake/glob.ts";
import type { CliIo } from "../io.ts";
import { usageError } from "../line/arguments.ts";
import { isTagPattern, matchTags } from "./cache-tags.ts";
import { parseReferences } from "./registries.ts";

/**
 * What values of --history name: references, several with commas between them, and names with a pattern in the place of
 * the tag. Errors: `usage`, `name-invalid`.
 */
export async function listHistorySources(
  values: readonly string[],
  io: CliIo,
): Promise<readonly HistorySource[]> {
  const words = values.flatMap(splitWords);
  return Promise.all(words.map((one) => readSource(one, io)));
}

/** A path may have commas itself. */
function splitWords(value: string): readonly string[] {
  const words = splitReference(value) === undefined ? [value] : value.split(",");
  const given = words.map((one) => one.trim()).filter((one) => one !== "");
  if (given.length > 0) return given;
  throw usageError("--history needs an image", "name one, such as registry.example/app:v1");
}

async function readSource(text: string, io: CliIo): Promise<HistorySource> {
  const parts = splitReference(text);
  if (parts === undefined || !isPattern(text)) {
    const [reference] = await parseReferences([text], io);
    if (reference === undefined) throw new RangeError("a reference is read");
    return { kind: "image", reference };
  }
  const { host, path, tag, digest } = parts;
  const isTagOnly = !isPattern(`${host ?? ""}/${path}`) && digest === undefined;
  if (tag === undefined || !isTagOnly || !isTagPattern(tag))
    throw usageError(
      `--history ${text} is no pattern for tags`,
      "write the pattern behind the colon alone, as in registry.example/app:v*",
    );
  const [reference] = await parseReferences([host === undefined ? path : `${host}/${path}`], io);
  if (reference?.repository === undefined) throw new RangeError("it names a registry");
  return { kind: "tags", text, repository: reference.repository, tags: matchTags([tag]) };
}
