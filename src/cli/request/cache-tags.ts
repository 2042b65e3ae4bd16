import type { DeliveryRequest } from "../../delivery/delivery.ts";
import type { TagPattern } from "../../pipeline/pipeline.ts";
import { isValidPattern, matchesPattern } from "../bake/glob.ts";
import { usageError } from "../line/arguments.ts";

/** The tags that any of these patterns (of Go's `path.Match`) fits. Errors: `usage` */
export function createTagPattern(
  patterns: readonly string[],
  { names, pushes, list }: Pick<DeliveryRequest, "names" | "pushes" | "list">,
): TagPattern {
  const wrong = patterns.find((one) => !isValidPattern(one) || /[/:]/.test(one));
  if (wrong !== undefined) {
    const hint =
      "give one for tags alone, such as 'v*': the repository is that of the image's name";
    throw usageError(`--cache-tags ${wrong} is no pattern for tags`, hint);
  }
  if (names.length + pushes.length === 0 && list === undefined)
    throw usageError("--cache-tags needs a name, in whose repository it looks", "give one with -t");
  return { matches: (tag) => patterns.some((one) => matchesPattern(one, tag)) };
}
