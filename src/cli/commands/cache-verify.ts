import { hashBlob } from "../../archive/archive.ts";
import { type StoreFinding, verifyStore } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { readAccess } from "../request/registries.ts";
import type { CliIo } from "../io.ts";
import { formatFlag, openUserStore, readCommandLine, wantsJson } from "./store-command.ts";
import { joinVisible, paintText, show, showJson, type Visible } from "../../visible.ts";
import { createPages } from "../pages.ts";

const help = show`Usage: xbuild cache verify [FLAGS]

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
  const registries = readAccess({ flags: [] }, io);
  const findings = await verifyStore(store, {
    repair: line.isSet("repair"),
    fetchBlob: (blob) => fetchBlob(blob, registries),
    hashBlob,
  });
  io.stdout(isJson ? showJson(findings) : renderFindings(findings, io));
  return findings.length === 0 ? 0 : 1;
}

const advice: Readonly<Record<StoreFinding["outcome"], string>> = {
  repaired: "repaired",
  removed: "removed: the next build makes it again",
  left: "run xbuild cache verify --repair",
};

function renderFindings(findings: readonly StoreFinding[], io: CliIo): Visible {
  if (findings.length === 0) return show`nothing is wrong\n`;
  const findPage = createPages(io);
  const lines = findings.map(({ code, message, path, names, outcome }) => {
    const users = names.length === 0 ? "" : show`\n  used by: ${names.join(", ")}`;
    const title = paintText(io, "red", `error[${code}]`);
    const page = findPage(code);
    const more = page === undefined ? "" : show`${paintText(io, "dim", `  page: ${page}`)}\n`;
    return show`${title}: ${path}: ${message}${users}\n  ${advice[outcome]}\n${more}`;
  });
  return joinVisible(lines);
}
