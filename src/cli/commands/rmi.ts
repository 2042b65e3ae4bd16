import { XbuildError } from "../../errors.ts";
import { parseImageName } from "../../oci/oci.ts";
import { removeName } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import { showError } from "../report/failure.ts";
import type { CliIo } from "../io.ts";
import { show } from "../../visible.ts";
import { openUserStore, readCommandLine } from "./store-command.ts";

const help = show`Usage: xbuild rmi NAME...

Forgets names of images in the store. The space is free after xbuild cache prune.
`;

/** `xbuild rmi`. @returns 0, or 1 where a name was not there @throws XbuildError `usage`, `name-invalid` */
export async function runRmi(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, [helpFlag]);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  if (line.operands.length === 0) throw usageError("rmi needs the name of an image");
  const names = line.operands.map((name) => parseImageName(name).full);
  const store = await openUserStore(io);
  let status = 0;
  for (const name of new Set(names)) {
    try {
      await removeName(store, name);
      io.stdout(show`untagged ${name}\n`);
    } catch (error) {
      // The others are removed all the same, as with the engines.
      if (!(error instanceof XbuildError) || error.code !== "image-not-found") throw error;
      io.stderr(showError(error, io));
      status = 1;
    }
  }
  return status;
}
