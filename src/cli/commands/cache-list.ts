import { digestHex, platformOf, renderPlatform } from "../../oci/oci.ts";
import { listStoredImages, type StoredImage } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import {
  formatFlag,
  openUserStore,
  readCommandLine,
  renderAge,
  wantsJson,
  type StoreCommandLine,
} from "./store-command.ts";
import { renderTable } from "../report/table.ts";
import { renderSize, sumSizes } from "../../units.ts";
import { show, showJson, type Visible } from "../../visible.ts";

const listHelp = show`Usage: xbuild cache ls [--format table|json]

Lists the images of the store, also those without a name, the last used first.
`;

/** `xbuild cache ls`. @returns 0 @throws XbuildError `usage` */
export async function runCacheList(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readPlainLine(argv);
  if (line.isSet("help")) {
    io.stdout(listHelp);
    return 0;
  }
  const isJson = wantsJson(line);
  const images = await listStoredImages(await openUserStore(io));
  io.stdout(isJson ? showJson(images.map(describe)) : renderImages(images, io, Date.now()));
  return 0;
}

function readPlainLine(argv: readonly string[]): StoreCommandLine {
  const line = readCommandLine(argv, [formatFlag, helpFlag]);
  if (line.operands.length > 0) throw usageError("cache ls takes no argument");
  return line;
}

function describe({ image, names, usedAt }: StoredImage): object {
  return {
    digest: image.digest,
    configDigest: image.manifest.config.digest,
    names,
    platform: renderPlatform(platformOf(image)),
    lastUsed: new Date(usedAt).toISOString(),
    size: sumSizes(image.manifest.layers),
    layers: image.manifest.layers.length,
  };
}

function renderImages(images: readonly StoredImage[], io: CliIo, now: number): Visible {
  const columns = [
    { title: "DIGEST" },
    { title: "PLATFORM" },
    { title: "LAST USED" },
    { title: "LAYERS", right: true },
    { title: "SIZE", right: true },
    { title: "NAMES" },
  ];
  const rows = images.map(({ image, names, usedAt }) => [
    digestHex(image.digest).slice(0, 12),
    renderPlatform(platformOf(image)),
    renderAge(usedAt, now),
    String(image.manifest.layers.length),
    renderSize(sumSizes(image.manifest.layers)),
    names.join(", "),
  ]);
  return renderTable(io, columns, rows);
}
