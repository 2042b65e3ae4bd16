import { join, resolve } from "node:path";
import type { CliIo } from "../io.ts";
import { usageError } from "../line/arguments.ts";

/** `$XBUILD_STORE`, else `$XDG_DATA_HOME/xbuild`, else `~/.local/share/xbuild` (XDG base directories). */
export function findStoreDirectory(io: CliIo): string {
  const directory = findDirectory(io);
  if (!directory.includes(":")) return directory;
  const reason = `the store cannot be ${directory}: engines and skopeo do not accept a colon in a path`;
  throw usageError(reason, "set XBUILD_STORE to a directory without one");
}

function findDirectory(io: CliIo): string {
  const { XBUILD_STORE: store, XDG_DATA_HOME: data, HOME: home } = io.env;
  if (store) return resolve(io.cwd, store);
  if (data) return join(data, "xbuild");
  if (home) return join(home, ".local", "share", "xbuild");
  throw usageError(
    "no directory for the store is known: HOME is not set",
    "set XBUILD_STORE to a directory",
  );
}
