import { helpFlag } from "../line/arguments.ts";
import { digestHex, type Image } from "../../oci/oci.ts";
import { listImages, listMissingLayers, type NamedImage } from "../../store/store.ts";
import { createNamePattern } from "../line/name-pattern.ts";
import type { CliIo } from "../io.ts";
import {
  formatFlag,
  openUserStore,
  readCommandLine,
  renderAge,
  wantsJson,
} from "./store-command.ts";
import { renderTable } from "../report/table.ts";
import { renderSize } from "../../units.ts";
import { joinVisible, show, showJson, type Visible } from "../../visible.ts";

const help = show`Usage: xbuild images [FLAGS] [PATTERN...]

Lists the images of the store, all or those whose name matches a PATTERN (* stands for any text).

      --format table|json  for people, or for programs
  -q, --quiet              the names alone
`;

/** `xbuild images`, `xbuild ls`. @returns 0 @throws XbuildError `usage`, `store-not-writable` */
export async function runImages(argv: readonly string[], io: CliIo): Promise<number> {
  const quiet = { name: "quiet", short: "q", kind: "boolean" } as const;
  const line = readCommandLine(argv, [formatFlag, quiet, helpFlag]);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  const isJson = wantsJson(line);
  const store = await openUserStore(io);
  const matches = createNamePattern(line.operands);
  const images = (await listImages(store)).filter(({ name }) => matches(name));
  const missing = await Promise.all(images.map(({ image }) => listMissingLayers(store, image)));
  const counts = missing.map((layers) => layers.length);
  if (line.isSet("quiet")) io.stdout(joinVisible(images.map(({ name }) => show`${name}\n`)));
  else if (isJson) io.stdout(showJson(images.map((one, at) => describe(one, counts[at] ?? 0))));
  else io.stdout(renderImages(images, io, Date.now()));
  return 0;
}

/** One image as programs get it; `size` is that of its layers in bytes, as they are compressed. */
function describe({ name, image }: NamedImage, missingLayers: number): object {
  const { architecture, os, variant } = image.config;
  return {
    name,
    digest: image.digest,
    configDigest: image.manifest.config.digest,
    created: image.config.created ?? null,
    platform: [os, architecture, variant].filter((part) => part !== undefined).join("/"),
    size: measure(image),
    layers: image.manifest.layers.length,
    missingLayers,
  };
}

function renderImages(images: readonly NamedImage[], io: CliIo, now: number): Visible {
  const columns = [
    { title: "NAME" },
    { title: "IMAGE ID" },
    { title: "CREATED" },
    { title: "LAYERS", right: true },
    { title: "SIZE", right: true },
  ];
  const rows = images.map(({ name, image }) => [
    name,
    digestHex(image.manifest.config.digest).slice(0, 12),
    renderCreated(image.config.created, now),
    String(image.manifest.layers.length),
    renderSize(measure(image)),
  ]);
  return renderTable(io, columns, rows);
}

function renderCreated(created: string | undefined, now: number): string {
  const then = Date.parse(created ?? "");
  return Number.isNaN(then) ? "" : renderAge(then, now);
}

function measure(image: Image): number {
  return image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
}
