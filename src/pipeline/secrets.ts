import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { StepsRequest } from "../engine/engine.ts";

/**
 * The files that `--secret id=...,src=FILE` names, as far as they are there. What is in them is no part of what a
 * build depends on.
 */
export function listSecretFiles({ flags }: Pick<StepsRequest, "flags">): readonly string[] {
  const files = flags.access.flatMap((flag) =>
    flag.startsWith("--secret=") ? readSource(flag.slice("--secret=".length)) : [],
  );
  return files.filter((file) => existsSync(file));
}

/** `id=NAME[,src=PATH][,env=NAME][,type=file|env]`; without a source the ID is the path. buildah-build(1) */
function readSource(value: string): readonly string[] {
  const fields = new Map(
    value.split(",").map((field): [string, string] => {
      const [key = "", ...rest] = field.split("=");
      return [key.trim(), rest.join("=")];
    }),
  );
  if (fields.has("env") || fields.get("type") === "env") return [];
  const path = fields.get("src") ?? fields.get("source") ?? fields.get("id");
  return path === undefined || path === "" ? [] : [resolve(path)];
}
