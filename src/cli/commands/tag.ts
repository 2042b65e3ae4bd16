import { parseImageName } from "../../oci/oci.ts";
import { tagName } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { show } from "../../visible.ts";
import { openUserStore, readCommandLine } from "./store-command.ts";

const help = show`Usage: xbuild tag NAME NEW-NAME...

Gives an image of the store more names; a name that stood for another image stands for this one then.
`;

/** `xbuild tag`. @returns 0 @throws XbuildError `usage`, `name-invalid`, `image-not-found` */
export async function runTag(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, [helpFlag]);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  const [existing, ...names] = line.operands.map((name) => parseImageName(name).full);
  if (existing === undefined || names.length === 0) {
    throw usageError("tag needs the name of an image and a new one");
  }
  const store = await openUserStore(io);
  for (const name of names) await tagName(store, existing, name);
  return 0;
}
