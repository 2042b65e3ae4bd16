import { resolve } from "node:path";
import type { Destination } from "../../delivery/delivery.ts";
import { usageError } from "../line/arguments.ts";

/**
 * The value of `-o`: `oci:DIR[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`
 * (containers-transports(5)); `type=local|tar,dest=PATH`, a path and `-` keep buildah's meaning:
 * the image's files. Errors: `usage`.
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
    return { kind, path: resolve(cwd, path), name };
  }
  const transport = /^(?<name>[a-z-]+):/.exec(text)?.groups?.["name"];
  if (transport !== undefined) {
    throw usageError(
      `-o ${text}: ${transport}: is not a destination that images can be written to`,
      "use docker://NAME, oci:DIR[:NAME], oci-archive:FILE, docker-archive:FILE, type=local|tar,dest=PATH or a path",
    );
  }
  return { kind: "files", text };
}
