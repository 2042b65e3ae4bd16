import type { DeliveryRequest } from "../../delivery/delivery.ts";
import type { TagPattern } from "../../pipeline/pipeline.ts";
import { isValidPattern, matchesPattern } from "../bake/glob.ts";
import { usageError } from "../line/arguments.ts";

/** The tags that any of these patterns (of Go's `path.Match`) fits. Errors: `usage` */
export function createTagPattern(
  patterns: readonly string[],
  { names, pushes, list }: Pick<DeliveryRequest, "names" | "pushes" | "list">,
): TagPattern {
  const wrong = patterns.find((one) => !isTagPattern(one));
  if (wrong !== undefined) {
    const hint =
      "give one for tags alone, such as 'v*': the repository is that of the image's name";
    throw usageError(`--cache-tags ${wrong} is no pattern for tags`, hint);
  }
  if (names.length + pushes.length === 0 && list === undefined)
    throw usageError("--cache-tags needs a name, in whose repository it looks", "give one with -t");
  return matchTags(patterns);
}

/** Whether a text is a pattern of Go's `path.Match` that tags may fit. */
export function isTagPattern(text: string): boolean {
  return isValidPattern(text) && !/[/:]/.test(text);
}

/** The tags that any of such patterns fits. */
export function matchTags(patterns: readonly string[]): TagPattern {
  return { matches: (tag) => patterns.some((one) => matchesPattern(one, tag)) };
}
