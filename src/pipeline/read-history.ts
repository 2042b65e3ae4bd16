import type { ImageReference } from "../copy/copy.ts";
import type { Workspace } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import {
  describeRelease,
  maxReleases,
  type Release,
  takeReleases,
  type TakenReleases,
} from "../layers/layers.ts";
import { type Image, isLocalName } from "../oci/oci.ts";
import { findImage, readImage } from "../store/store.ts";
import { findStoredTags } from "./find-stored-tags.ts";
import { listTags } from "./list-tags.ts";
import { readDistinct, type ReleaseName } from "./read-distinct.ts";
import type { ReadWorkspace } from "./read-documents.ts";
import type { HistorySource, ReuseRequest } from "./request.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** Where a history is read. */
export type HistoryWorkspace = ReadWorkspace & Pick<Workspace, "reporter">;

/** The same, asked once by all that one command builds. Errors: as there */
export function readSharedHistory(
  reuse: Pick<ReuseRequest, "history" | "platform">,
  work: BuildWorkspace,
): Promise<readonly Release[]> {
  const { history = [], platform } = reuse;
  const names = history.map((one) => (one.kind === "tags" ? one.text : one.reference.text));
  const key = JSON.stringify([names, platform]);
  return work.shared.readHistory(key, async () => (await readHistory(reuse, work)).releases);
}

/**
 * The earlier images that --history names, of registries, layouts and the store: manifests and configs are read, each
 * once. Of more than 100 the newest count, tags by their names before they are read. What cannot be read is left out,
 * with a warning. Errors: the signal's reason
 */
export async function readHistory(
  { history = [], platform }: Pick<ReuseRequest, "history" | "platform">,
  work: HistoryWorkspace,
): Promise<TakenReleases> {
  if (history.length === 0) return { releases: [], left: 0 };
  const done = work.reporter.step("Release history");
  try {
    const listed = await Promise.all(history.map((one) => listNames(one, platform, work)));
    const { kept, left } = cutNames(listed);
    const { images, failures } = await readDistinct(kept, platform, work);
    for (const one of failures) warnUnread(one, work);
    const taken = takeReleases(images.map(({ name, image }) => describeRelease(image, name)));
    const result = { ...taken, left: taken.left + left };
    const more = result.left > 0 ? `, the newest of ${taken.releases.length + result.left}` : "";
    done(`${taken.releases.length} image${taken.releases.length === 1 ? "" : "s"}${more}`);
    return result;
  } catch (error) {
    done.fail();
    throw error;
  }
}

type Listed = readonly ReleaseName[];

async function listNames(
  source: HistorySource,
  platform: ReuseRequest["platform"],
  work: HistoryWorkspace,
): Promise<Listed> {
  if (source.kind === "tags") return listFitting(source, platform, work);
  const { reference } = source;
  const common = { name: reference.name, source: reference.name, isFound: false };
  const isStored = reference.repository !== undefined && isLocalName(reference.name);
  if (!isStored) return [{ ...common, reference }];
  const image = await findStored(reference, platform, work);
  return [image === undefined ? common : { ...common, image }];
}

function findStored(
  { name, digest }: ImageReference,
  platform: ReuseRequest["platform"],
  { store }: HistoryWorkspace,
): Promise<Image | undefined> {
  return digest === undefined ? findImage(store, name, platform) : readImage(store, digest);
}

/** Those of the store and of the registry, in the order of their versions. */
async function listFitting(
  source: TagSource,
  platform: ReuseRequest["platform"],
  work: HistoryWorkspace,
): Promise<Listed> {
  const { repository, tags, text } = source;
  const stored = await findStoredTags(repository, { matches: tags.matches, platform }, work.store);
  const named = stored.map(({ name, image }) => ({ name, source: text, isFound: true, image }));
  const found = isLocalName(repository) ? [] : await listRemote(source, work);
  return [...named, ...found].toSorted(compareNames);
}

type TagSource = HistorySource & { readonly kind: "tags" };

async function listRemote(
  { repository, tags, text }: TagSource,
  work: HistoryWorkspace,
): Promise<Listed> {
  const { parseRegistryReference } = await import("../copy/copy.ts");
  try {
    return (await listTags(repository, tags, work)).flatMap((tag): Listed => {
      // A registry may list what is none.
      if (!/^\w[\w.-]{0,127}$/.test(tag)) return [];
      const reference = parseRegistryReference(`${repository}:${tag}`);
      return [{ name: reference.name, source: text, isFound: true, reference }];
    });
  } catch (error) {
    if (!(error instanceof XbuildError) || work.signal.aborted) throw error;
    warnUnread({ source: text, count: 1, total: 1, error }, work);
    return [];
  }
}

const collator = new Intl.Collator("en", { numeric: true });

function compareNames(a: ReleaseName, b: ReleaseName): number {
  return collator.compare(a.name, b.name);
}

/** Whoever names an image by itself means that one. */
function cutNames(listed: readonly Listed[]): { readonly kept: Listed; readonly left: number } {
  const all = listed.flat();
  const named = all.filter((one) => !one.isFound).slice(-maxReleases);
  const found = all.filter((one) => one.isFound);
  const room = maxReleases - named.length;
  const kept = new Set([...named, ...(room === 0 ? [] : found.slice(-room))]);
  return { kept: all.filter((one) => kept.has(one)), left: all.length - kept.size };
}

interface Unread {
  /** As the user wrote it. */
  readonly source: string;
  /** How many of the images that it names. */
  readonly count: number;
  readonly total: number;
  /** Of the first of them. */
  readonly error: XbuildError;
}

function warnUnread({ source, count, total, error }: Unread, { reporter }: HistoryWorkspace): void {
  const what = total === 1 ? "it" : `${count} of its ${total} images`;
  const { message, hint } = error;
  reporter.warn({
    code: "history-unreadable",
    severity: "warning",
    message: `--history ${source}: ${what} cannot be read: ${message}; the plan is made without`,
    ...(hint === undefined ? {} : { hint }),
  });
}
