import { exitStatuses, XbuildError } from "../errors.ts";
import { baseDigestAnnotation } from "../oci/oci.ts";
import type { Image } from "../oci/oci.ts";
import { isBuiltOn, rebaseImage } from "../oci/oci.ts";
import { commitImage } from "../store/store.ts";
import { findImage } from "../store/store.ts";
import { narrowLocations, readLocations } from "../store/store.ts";
import { tagImage } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { beginRun } from "../store/store.ts";
import { isPushed } from "../copy/copy.ts";
import { checkConflicts } from "./rebase-check.ts";
import type { NamedBase, RebasePorts, RebaseRequest, RebaseResult } from "./rebase-request.ts";
import { readOldBase, readSource, type Source, type SourceReader } from "./rebase-sources.ts";

/**
 * Puts an image's own layers onto another base without building: in the store, from registry to registry, or
 * from one to the other. Layers stay where they are; a push mounts or brings what its registry lacks. What
 * fails leaves every name as it is.
 * Errors: `rebase-*`, `image-not-found`, `image-unsupported`, `registry-*`, `layer-gone`.
 */
export async function rebase(
  store: Store,
  request: RebaseRequest,
  ports: RebasePorts,
): Promise<RebaseResult> {
  const run = await beginRun(store);
  try {
    const reader: SourceReader = { store, run, request, ports };
    const done = ports.reporter.step("Reading the images");
    const sources = await readSources(reader);
    done();
    const { image, from, onto } = sources;
    const name = onto.registryName;
    const rebased = rebaseImage({
      image: image.image,
      from: from.image,
      onto: onto.image,
      name,
      created: ports.now,
    });
    const isUpToDate = rebased.digest === image.image.digest;
    if (!isUpToDate) await check(reader, sources);
    await handOn(reader, sources, rebased, isUpToDate);
    return { image: rebased, isUpToDate, from: describeBase(from), onto: describeBase(onto) };
  } finally {
    await run.end();
  }
}

interface Sources {
  readonly image: Source;
  readonly from: Source;
  readonly onto: Source;
}

async function readSources(reader: SourceReader): Promise<Sources> {
  const { request } = reader;
  const image = await readSource(reader, request.image, request.platform);
  await assertReplaceable(reader, image);
  const { os, architecture, variant } = image.image.config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const onto = await readSource(reader, request.onto, platform);
  // What stands on the new base already is done, whatever it stood on before.
  const digest = image.image.manifest.annotations?.[baseDigestAnnotation];
  if (digest === onto.image.digest && isBuiltOn(image.image, onto.image)) {
    return { image, from: onto, onto };
  }
  const from =
    request.from === undefined
      ? await readOldBase(reader, image.image, platform)
      : await readSource(reader, request.from, platform);
  return { image, from, onto };
}

/** A tag that stands for images of several platforms would lose the others. Errors: `usage`. */
async function assertReplaceable(
  { request: { image, pushes, access }, ports: { signal } }: SourceReader,
  source: Source,
): Promise<void> {
  const { reference } = image;
  if (image.stored !== undefined || reference === undefined) return;
  if (!pushes.some((one) => one.text === reference.text)) return;
  if (await isPushed(reference, source.image.digest, { access, signal })) return;
  const message = `${image.text} names an index of several platforms, which the rebased image of one platform would replace`;
  const hint = "name the result with -t";
  throw new XbuildError("usage", message, { hint, exitStatus: exitStatuses.usage });
}

async function check(
  { store, request, ports }: SourceReader,
  { image, from, onto }: Sources,
): Promise<void> {
  const done = ports.reporter.step("Comparing the bases");
  const files = new Map([...from.files, ...onto.files, ...image.files]);
  const images = { image: image.image, from: from.image, onto: onto.image };
  await checkConflicts({ store, ...images, files, force: request.force }, ports);
  done();
}

/** Into the store, so that it can be pushed from there, and named last. */
async function handOn(
  { store, run, request, ports }: SourceReader,
  { image, onto }: Sources,
  rebased: Image,
  isUpToDate: boolean,
): Promise<void> {
  // What an up-to-date image was read from has it.
  const own = isUpToDate ? request.image.reference?.text : undefined;
  const pushes = request.pushes.filter((one) => one.text !== own);
  const names = await listNewNames(store, request, rebased);
  if (names.length + pushes.length === 0) return;
  const known = await readLocations(store, rebased.digest);
  const wanted = new Set(rebased.manifest.layers.map((layer) => layer.digest));
  const files = new Map([...image.files, ...onto.files].filter(([digest]) => wanted.has(digest)));
  await commitImage(run, {
    image: rebased,
    stagedBlobs: [...files].map(([digest, path]) => ({ digest, path })),
    locations: narrowLocations([...image.locations, ...onto.locations, ...known], rebased),
    names: [],
  });
  if (pushes.length > 0) {
    const { pushImage } = await import("../delivery/delivery.ts");
    for (const one of pushes) await pushImage(store, run, request, ports, rebased, one);
  }
  if (names.length > 0) await tagImage(store, rebased, names);
}

/** Those that do not stand for the image yet. */
async function listNewNames(
  store: Store,
  { names, platform }: RebaseRequest,
  image: Image,
): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => findImage(store, name, platform)));
  return names.filter((_, index) => found[index]?.digest !== image.digest);
}

function describeBase({ name, image }: Source): NamedBase {
  return { name, digest: image.digest, layers: image.manifest.layers.length };
}
