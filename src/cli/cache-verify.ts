import { hashBlob } from "../layers/identify-layer.ts";
import type { StoreFinding } from "../store/findings.ts";
import { verifyStore } from "../store/verify.ts";
import { usageError } from "./arguments.ts";
import { createBlobFetcher } from "./fetch-blob.ts";
import { readAccess } from "./registries.ts";
import type { CliIo } from "./io.ts";
import {
  formatFlag,
  helpFlag,
  openUserStore,
  readCommandLine,
  renderJson,
  wantsJson,
} from "./store-command.ts";
import { paint, renderName } from "./text.ts";

const help = `Usage: xbuild cache verify [FLAGS]

Checks every byte of the store: blobs, what images say of their layers, index, records. Exit status 1
with findings.

      --repair             bring damaged blobs anew from the registry that an image's name says, and
                           remove what cannot be had, so that the next build makes it again
      --format table|json  for people, or for programs
`;

/** `xbuild cache verify`. @returns 0 where nothing was found, else 1 @throws XbuildError `usage` */
export async function runCacheVerify(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, [{ name: "repair", kind: "boolean" }, formatFlag, helpFlag]);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  if (line.operands.length > 0) throw usageError("cache verify takes no argument");
  const isJson = wantsJson(line);
  const store = await openUserStore(io);
  const fetcher = createBlobFetcher(store, readAccess({ flags: [] }, io));
  try {
    const repair = line.isSet("repair");
    const findings = await verifyStore(store, { repair, fetchBlob: fetcher.fetch, hashBlob });
    io.stdout(isJson ? renderJson(findings) : renderFindings(findings, io));
    return findings.length === 0 ? 0 : 1;
  } finally {
    await fetcher.end();
  }
}

const advice: Readonly<Record<StoreFinding["outcome"], string>> = {
  repaired: "it is as it was",
  removed: "removed: the next build makes it anew",
  left: "run xbuild cache verify --repair",
};

function renderFindings(findings: readonly StoreFinding[], io: CliIo): string {
  if (findings.length === 0) return "nothing is wrong\n";
  const lines = findings.map(({ code, message, path, names, outcome }) => {
    const users = names.length === 0 ? "" : `\n  used by: ${names.map(renderName).join(", ")}`;
    const title = paint(io, "red", `error[${code}]`);
    return `${title}: ${renderName(path)}: ${renderName(message)}${users}\n  ${advice[outcome]}\n`;
  });
  return lines.join("");
}
