import { joinPairs } from "./csv.ts";
import type { Entry } from "./entries.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { unsupported } from "./unsupported.ts";

/**
 * The flags that say where a target's image goes, by its `output` and `tags`. With `cacheonly` alone it goes nowhere,
 * and has no name. Errors: `bake-unsupported`.
 */
export function listOutputs({ name, target }: ResolvedTarget): readonly string[] {
  const outputs = target.output ?? [];
  if (outputs.length > 0 && outputs.every(({ type }) => type === "cacheonly")) return [];
  const named = (target.tags ?? []).map((tag) => `--tag=${tag}`);
  const words = [...named, ...outputs.flatMap((output) => renderOutput(output, name))];
  const hasName = words.some((word) => word.startsWith("--tag="));
  // An image without a name is in the store all the same.
  const usable = words.filter((word) => word !== "--load" || hasName);
  return [...new Set(usable)];
}

function renderOutput(output: Entry, target: string): readonly string[] {
  const { type, dest = "", ...attributes } = output;
  const annotations = listAnnotations(attributes);
  const refuseOutput = (why: string, hint: string): Error =>
    unsupported(target, `output ${joinPairs(Object.entries(output))}: ${why}`, hint);
  const unknown = Object.keys(attributes).find(
    (key) => !key.startsWith("annotation.") && known[type ?? ""]?.includes(key) !== true,
  );
  if (unknown !== undefined) throw refuseOutput(`there is nothing for ${unknown}`, "leave it out");
  const names = (attributes["name"] ?? "").split(",").filter((one) => one !== "");
  const isTar = attributes["tar"] !== "false";
  switch (type) {
    case "cacheonly":
      return [];
    case "docker":
      if (dest === "") return [...names.map(nameImage), "--load", ...annotations];
      return [`--output=docker-archive:${dest}`, ...annotations];
    case "oci":
      if (dest === "") throw refuseOutput("it has no dest", "name a file with dest=FILE");
      return [`--output=${isTar ? "oci-archive" : "oci"}:${dest}`, ...annotations];
    case "image":
    case "registry": {
      const isPushed = type === "registry" || attributes["push"] === "true";
      // Names of its own are pushed to; without, the tags are.
      const pushes = names.length > 0 ? names.map((one) => `--output=docker://${one}`) : ["--push"];
      return [...(isPushed ? pushes : names.map(nameImage)), ...annotations];
    }
    case "local":
    case "tar":
      if (dest === "") throw refuseOutput("it has no dest", "name a place with dest=PATH");
      return [
        `--output=${joinPairs([
          ["type", type],
          ["dest", dest],
        ])}`,
      ];
    default:
      throw refuseOutput(
        "there is no such type",
        "use image, registry, docker, oci, local, tar or cacheonly",
      );
  }
}

/** Attributes that are understood, by type. */
const known: Readonly<Record<string, readonly string[]>> = {
  image: ["name", "push"],
  registry: ["name", "push"],
  docker: ["name"],
  oci: ["tar"],
};

function nameImage(name: string): string {
  return `--tag=${name}`;
}

function listAnnotations(attributes: Entry): readonly string[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    key.startsWith("annotation.")
      ? [`--annotation=${key.slice("annotation.".length)}=${value}`]
      : [],
  );
}
