import { showBytes } from "../refuse.ts";
import { maxPath, type ByteString, type EntryType } from "./entry.ts";
import { HeaderProblem } from "./header.ts";
import { refuseTar } from "./problems.ts";

/** What a PAX record or GNU's long name says, else the header's own field; an entry with both says two things. */
export function pickName(
  pax: ByteString | undefined,
  long: ByteString | undefined,
  plain: ByteString,
): ByteString {
  if (pax !== undefined && long !== undefined)
    throw new HeaderProblem("an entry has two long names");
  const name = pax ?? long ?? plain;
  if (name.includes("\0")) throw new HeaderProblem("a name has a NUL byte");
  if (name.length > maxPath) throw new HeaderProblem(`a name is longer than ${maxPath} bytes`);
  return name;
}

/** Of a symbolic link as it is, of a hard link as a path of the layer, of all else nothing. */
export function resolveLink(type: EntryType, link: ByteString, file: string): ByteString {
  if (type === "symlink") {
    if (link === "") throw new HeaderProblem("a symbolic link has no target");
    return link;
  }
  if (type !== "hard-link") return "";
  if (link.startsWith("/")) {
    const message = `a hard link points to the absolute path ${showBytes(link)}`;
    throw refuseTar("layer-tar-path-escape", message, file);
  }
  return normalizePath(link, file);
}

/** Without what says nothing (`./`, double slashes, a trailing one). */
export function normalizePath(name: ByteString, file: string): ByteString {
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (!parts.includes("..")) return parts.join("/");
  throw refuseTar("layer-tar-path-escape", `the path ${showBytes(name)} contains a ".."`, file);
}
