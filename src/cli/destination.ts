import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Destination } from "../build/request.ts";
import { explainTarget, findTarget, refuseTarget } from "../system/target.ts";
import { usageError } from "./arguments.ts";

/**
 * The value of `-o`: `oci:DIR[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`
 * (containers-transports(5)); `type=local|tar,dest=PATH`, a path and `-` keep buildah's meaning:
 * the image's files. What can be told of a place before anything is built is told now.
 * Errors: `usage`, `output-destination`.
 */
export function parseDestination(text: string, cwd: string): Destination {
  const groups = /^(?<kind>oci|oci-archive|docker-archive):(?<path>[^:]+)(?::(?<name>.+))?$/.exec(
    text,
  )?.groups;
  const { kind, path, name } = groups ?? {};
  if (
    path !== undefined &&
    (kind === "oci" || kind === "oci-archive" || kind === "docker-archive")
  ) {
    const place = resolve(cwd, path);
    assertPlace(kind, place, text);
    return { kind, path: place, name };
  }
  const transport = /^(?<name>[a-z-]+):/.exec(text)?.groups?.["name"];
  if (transport !== undefined) {
    throw usageError(
      `-o ${text}: nothing can be written to ${transport}:`,
      "docker://NAME, oci:DIR[:NAME], oci-archive:FILE, docker-archive:FILE, type=local|tar,dest=PATH or a path is meant",
    );
  }
  return { kind: "files", text };
}

function assertPlace(kind: Destination["kind"], path: string, text: string): void {
  const what = `-o ${text}`;
  if (kind !== "oci") return void findTarget(path, what);
  const status = explainTarget(what, () => statSync(path, { throwIfNoEntry: false }));
  if (status === undefined || status.isDirectory()) return;
  throw refuseTarget(what, "it is no directory", "name a directory, or a new one");
}
