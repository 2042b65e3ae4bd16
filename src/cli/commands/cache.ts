import { suggestName } from "../../suggest.ts";
import { usageError } from "../line/arguments.ts";
import type { CliIo, Command } from "../io.ts";
import { findStoreDirectory } from "../request/store-directory.ts";
import { show } from "../../visible.ts";
import { printData } from "../report/text.ts";

const help = show`Usage: xbuild cache COMMAND [FLAGS]

  ls      the images of the store, also those without a name, the last used first
  du      what takes space, in the store and in the engines' storages (df is the same)
  prune   removes what no name and no running build needs
  verify  checks every byte of the store (exit status 1 with findings)
  path    the store's directory

xbuild cache COMMAND --help says more.
`;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  ls: async () => (await import("./cache-list.ts")).runCacheList,
  du: async () => (await import("./cache-usage.ts")).runCacheUsage,
  df: async () => (await import("./cache-usage.ts")).runCacheUsage,
  prune: async () => (await import("./cache-prune.ts")).runCachePrune,
  verify: async () => (await import("./cache-verify.ts")).runCacheVerify,
  path: async () => runPath,
};

/** `xbuild cache`. @returns the command's exit status @throws XbuildError `usage` and the command's own */
export async function runCache(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--help" || name === "-h") {
    io.stdout(help);
    return 0;
  }
  const command = Object.hasOwn(commands, name ?? "") ? commands[name ?? ""] : undefined;
  if (command !== undefined) return (await command())(rest, io);
  if (name === undefined) throw usageError("cache needs a command", "see xbuild cache --help");
  const near = suggestName(name, Object.keys(commands));
  const hint = near === undefined ? "see xbuild cache --help" : `did you mean ${near}?`;
  throw usageError(`cache has no command ${name}`, hint);
}

async function runPath(argv: readonly string[], io: CliIo): Promise<number> {
  if (argv.length > 0) throw usageError("cache path takes no argument");
  printData(io, Buffer.from(`${findStoreDirectory(io)}\n`));
  return 0;
}
