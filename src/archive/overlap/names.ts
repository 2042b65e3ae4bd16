import type { ByteString } from "../tar/entry.ts";

/** What a name in a layer stands for. image-spec v1.1, layer.md, "Whiteouts". */
export type Name =
  | { readonly kind: "entry"; readonly path: ByteString }
  | { readonly kind: "removed"; readonly path: ByteString }
  /** Everything that lower layers have in this directory is gone. */
  | { readonly kind: "opaque"; readonly path: ByteString };

const prefix = ".wh.";

export function readName(path: ByteString): Name {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (!name.startsWith(prefix)) return { kind: "entry", path };
  const parent = path.slice(0, Math.max(slash, 0));
  if (name === ".wh..wh..opq") return { kind: "opaque", path: parent };
  const removed = name.slice(prefix.length);
  return { kind: "removed", path: slash === -1 ? removed : `${parent}/${removed}` };
}

/** The directories that a path lies in, the nearest first, the root ("") last. */
export function* listParents(path: ByteString): Generator<ByteString> {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    yield path.slice(0, at);
  }
  if (path !== "") yield "";
}
