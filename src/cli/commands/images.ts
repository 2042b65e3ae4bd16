import { helpFlag } from "../line/arguments.ts";
import {
  type Descriptor,
  digestHex,
  type Image,
  platformOf,
  renderPlatform,
} from "../../oci/oci.ts";
import { listImages, listMissingLayers, type NamedImages, type Store } from "../../store/store.ts";
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
import { renderSize, sumSizes } from "../../units.ts";
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
  if (line.isSet("quiet")) io.stdout(joinVisible(images.map(({ name }) => show`${name}\n`)));
  else if (isJson)
    io.stdout(showJson(await Promise.all(images.map((one) => describe(one, store)))));
  else io.stdout(renderImages(images, io, Date.now()));
  return 0;
}

/** What a name stands for as programs get it: of an index its images, one for each platform. */
async function describe(
  { name, digest, isIndex, images }: NamedImages,
  store: Store,
): Promise<object> {
  const missing = await Promise.all(images.map((image) => listMissingLayers(store, image)));
  const described = images.map((image, at) => describeImage(image, missing[at]?.length ?? 0));
  const [first] = described;
  if (!isIndex) return { name, ...first };
  const layers = listLayers(images);
  const missingLayers = new Set(missing.flat().map((layer) => layer.digest)).size;
  return {
    name,
    digest,
    created: findNewest(images) ?? null,
    size: sumSizes(layers),
    layers: layers.length,
    missingLayers,
    images: described,
  };
}

/** `size` is that of its layers in bytes, as they are compressed. */
function describeImage(image: Image, missingLayers: number): object {
  return {
    digest: image.digest,
    configDigest: image.manifest.config.digest,
    created: image.config.created ?? null,
    platform: renderPlatform(platformOf(image)),
    size: sumSizes(image.manifest.layers),
    layers: image.manifest.layers.length,
    missingLayers,
  };
}

function renderImages(images: readonly NamedImages[], io: CliIo, now: number): Visible {
  const columns = [
    { title: "NAME" },
    { title: "IMAGE ID" },
    { title: "PLATFORM" },
    { title: "CREATED" },
    { title: "LAYERS", right: true },
    { title: "SIZE", right: true },
  ];
  return renderTable(
    io,
    columns,
    images.map((one) => renderRow(one, now)),
  );
}

/** Of an index its own digest, as the engines show it, and what its images have together. */
function renderRow({ name, digest, isIndex, images }: NamedImages, now: number): readonly string[] {
  const [first] = images;
  const id = isIndex ? digest : (first?.manifest.config.digest ?? digest);
  const layers = isIndex ? listLayers(images) : (first?.manifest.layers ?? []);
  return [
    name,
    digestHex(id).slice(0, 12),
    images.map((image) => renderPlatform(platformOf(image))).join(", "),
    renderCreated(findNewest(images), now),
    String(layers.length),
    renderSize(sumSizes(layers)),
  ];
}

/** What several of them have counts once. */
function listLayers(images: readonly Image[]): readonly Descriptor[] {
  const all = images.flatMap((image) => image.manifest.layers);
  return [...new Map(all.map((layer) => [layer.digest, layer])).values()];
}

function findNewest(images: readonly Image[]): string | undefined {
  const times = images.flatMap(({ config }) => config.created ?? []);
  return times.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
}

function renderCreated(created: string | undefined, now: number): string {
  const then = Date.parse(created ?? "");
  return Number.isNaN(then) ? "" : renderAge(then, now);
}
