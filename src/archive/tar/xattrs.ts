import type { ByteString, Entry } from "./entry.ts";

/** Extended attributes as a layer has them: what belongs to the machine is left out or taken back. */

/** No SELinux labels and no bookkeeping of overlay: they belong to the machine, not to the content. */
function isKeptXattr(name: ByteString): boolean {
  return name !== "security.selinux" && !/^(?:trusted|user)\.overlay\./.test(name);
}

/** Version 3, VFS_CAP_REVISION_3: magic, two times two sets, and the user who is root where it holds. Bytes. */
const namespacedSize = 24;
const plainSize = 20;
const revisionAt = 3;

/**
 * The attributes that a layer keeps, by name. `roots` are the users that are the container's root as we see them: a
 * capability that holds where one of them is root was written in the container's own user namespace, and is what
 * a build without one writes as version 2. One that holds for another user alone stays as it is, for as version 2
 * it would hold for everybody. capabilities(7), "File capability extended attribute versioning".
 */
export function normalizeXattrs(
  xattrs: Entry["xattrs"],
  roots: readonly number[] = [0],
): Entry["xattrs"] {
  return xattrs
    .filter(([name]) => isKeptXattr(name))
    .map(([name, value]): [ByteString, ByteString] => [
      name,
      name === "security.capability" ? normalizeCapability(value, roots) : value,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function normalizeCapability(value: ByteString, roots: readonly number[]): ByteString {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length !== namespacedSize || bytes[revisionAt] !== 3) return value;
  if (!roots.includes(bytes.readUInt32LE(plainSize))) return value;
  bytes[revisionAt] = 2;
  return bytes.toString("latin1", 0, plainSize);
}
