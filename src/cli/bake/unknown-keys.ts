import type { Diagnostic } from "../../diagnostics.ts";
import { locateJson } from "../../oci/oci.ts";
import { suggestName } from "../../suggest.ts";
import { quoteText } from "../../text.ts";
import type { Block, Definition } from "./definition.ts";
import { targetSchema } from "./schema.ts";

const known = {
  group: ["description", "targets"],
  target: ["name", "matrix", ...Object.keys(targetSchema.out.shape)],
  variable: ["default", "description", "type", "validation"],
};

/** So many are told of. */
const most = 20;

/**
 * A warning for each key of a block that nobody knows. buildx passes over them without a word, so that a file may be
 * for a newer one; most are mistakes.
 */
export function listUnknownKeys({
  groups,
  targets,
  variables,
}: Pick<Definition, "groups" | "targets" | "variables">): readonly Diagnostic[] {
  const findings = [
    ...groups.flatMap((block) => judgeBlock(block, "group")),
    ...targets.flatMap((block) => judgeBlock(block, "target")),
    ...[...variables.values()].flatMap((block) => judgeBlock(block, "variable")),
  ];
  return findings.slice(0, most).map((finding) => finding());
}

function judgeBlock({ name, body, place }: Block, type: keyof typeof known): (() => Diagnostic)[] {
  const keys: readonly string[] = known[type];
  const unknown = Object.keys(body).filter((key) => !keys.includes(key));
  return unknown.map((key) => () => {
    const near = suggestName(key, keys);
    const [span] = locateJson(place.source, [[...place.path, key]]);
    return {
      code: "bake-key-unknown",
      severity: "warning",
      message: `the ${type} ${name} has the key ${quoteText(key)}, which is not known and left out`,
      hint: near === undefined ? "take it out of the file" : `did you mean ${near}?`,
      file: place.source.file,
      ...(span === undefined ? {} : { span }),
    };
  });
}
