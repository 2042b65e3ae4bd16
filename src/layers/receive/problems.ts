import { type ByteString, type Entry, refuse, showBytes } from "../../archive/archive.ts";
import { systemCode } from "../../system/errno.ts";

/** The error for an entry that no builder that walks a directory would write. */
export function refuseEntry(path: ByteString, message: string, cause?: unknown): Error {
  const hint = "build again, with another builder if that does not help";
  return refuse("layer-tar-broken", message, { file: `output/${showBytes(path)}`, hint, cause });
}

/** The error for what is neither file nor directory, where only these belong. */
export function refuseType(path: ByteString, type: Entry["type"]): Error {
  const message = `it is a ${type.replace("-", " ")}, but must be a file or directory`;
  const hint = "put a plain file or directory there; links are not followed";
  return refuse("output-file-type", message, { file: `output/${showBytes(path)}`, hint });
}

const meanings: Readonly<Record<string, string>> = {
  EEXIST: "it comes twice",
  EISDIR: "it comes twice",
  ENOENT: "its directory did not come before it",
  ENOTDIR: "it is inside what is not a directory",
  ENAMETOOLONG: "its name is too long",
};

/** What the system says of the place of an entry, in words about that entry. */
export function explainEntry(error: unknown, path: ByteString): unknown {
  const meaning = meanings[systemCode(error) ?? ""];
  return meaning === undefined ? error : refuseEntry(path, meaning, error);
}
