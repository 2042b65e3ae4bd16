import { digestHex, parseImageName } from "../../oci/oci.ts";
import {
  createNotFound,
  removeNames,
  type RemovedNames,
  type StayReason,
} from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import { showError } from "../report/failure.ts";
import { renderSize } from "../../units.ts";
import type { CliIo } from "../io.ts";
import { joinVisible, show, type Visible } from "../../visible.ts";
import { openUserStore, readCommandLine } from "./store-command.ts";

const help = show`Usage: xbuild rmi [FLAGS] NAME...

Forgets names of images in the store, and removes the images that then have none. What stays is told,
and why. An image of the same name in the engine's storage is the engine's: remove it with the engine's rmi.

  -i, --ignore  a name that is not there is no error
  -f, --force   for scripts that are written for an engine; nothing is asked without it either
`;

const flags = [
  { name: "ignore", short: "i", kind: "boolean" },
  { name: "force", short: "f", kind: "boolean" },
  helpFlag,
] as const;

/** `xbuild rmi`. @returns 0, or 1 where a name was not there @throws XbuildError `usage`, `name-invalid` */
export async function runRmi(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, flags);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  if (line.operands.length === 0) throw usageError("rmi needs the name of an image");
  const names = line.operands.map((name) => parseImageName(name).full);
  const store = await openUserStore(io);
  const removed = await removeNames(store, [...new Set(names)]);
  if (removed.names.length > 0) io.stdout(renderRemoved(removed));
  const missing = line.isSet("ignore") ? [] : removed.missing;
  // The others are removed all the same, as with the engines.
  for (const name of missing) io.stderr(showError(createNotFound(store, name), io));
  return missing.length === 0 ? 0 : 1;
}

function renderRemoved({ names, images, staying, freed }: RemovedNames): Visible {
  return joinVisible([
    ...names.map((name) => show`Untagged: ${name}\n`),
    ...images.map((digest) => show`Deleted: ${digest}\n`),
    ...staying.map(({ digest, reason }) => {
      const id = `sha256:${digestHex(digest).slice(0, 12)}`;
      return show`Kept: ${id}, ${explain(reason)}\n`;
    }),
    show`Total: ${renderSize(freed)} freed\n`,
  ]);
}

function explain(reason: StayReason): string {
  switch (reason.kind) {
    case "named":
      return `which is ${reason.name}, too`;
    case "last-build":
      return `the last build of ${reason.of}: xbuild cache prune --all removes it`;
    case "running":
      return "which a running build uses: xbuild cache prune removes it afterwards";
    default:
      return "for an image of the store is damaged: run xbuild cache verify --repair, then cache prune";
  }
}
