import { stat } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import { type Digest, type Image, isFullName, tryParseJson } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { readImage } from "../images/images.ts";
import { blobPath, type Store } from "../layout/paths.ts";
import { listImageDigests, type NamedEntry, type Pointer } from "./usage.ts";

/** An image that a record or a ref leads to. */
export interface Candidate {
  readonly image: Image;
  /** When it was last built or found to be up to date, in milliseconds since 1970. */
  readonly usedAt: number;
}

export type Candidates = ReadonlyMap<Digest, Candidate>;

/** The images that records and refs lead to, with the time of their last use. */
export async function listCandidates(
  store: Store,
  pointers: readonly Pointer[],
): Promise<Candidates> {
  const candidates = new Map<Digest, Candidate>();
  for (const { manifest, usedAt } of pointers) {
    const known = candidates.get(manifest);
    const image = known?.image ?? (await readImage(store, manifest));
    const status = await ifPresent(stat(blobPath(store, manifest)));
    if (image === undefined || status === undefined) continue;
    const last = Math.max(usedAt, status.mtimeMs, known?.usedAt ?? 0);
    candidates.set(manifest, { image, usedAt: last });
  }
  return candidates;
}

/**
 * The last builds of stages, which the next builds want to keep layers from.
 * @param names all names of the store that stay
 */
export function listCurrent(
  pointers: readonly Pointer[],
  names: ReadonlySet<string>,
): ReadonlySet<Digest> {
  const forgotten = new Set(listForgotten(pointers, names));
  const last = pointers.filter((one) => one.kind === "refs" && !forgotten.has(one));
  return new Set(last.map(({ manifest }) => manifest));
}

/**
 * Refs to the last build of what had names, none of which is there any more: whoever took them all away does not want
 * the next build of that name to begin with it.
 */
export function listForgotten(
  pointers: readonly Pointer[],
  names: ReadonlySet<string>,
): readonly Pointer[] {
  return listOwners(pointers).flatMap(({ ref, owners }) =>
    owners.length > 0 && owners.every((one) => !names.has(one)) ? [ref] : [],
  );
}

/**
 * Refs with the names under which that was built: of the record, and of the target whose stage it is. The last build of a
 * file has none: it is looked for under any tag.
 */
export function listOwners(
  pointers: readonly Pointer[],
): readonly { readonly ref: Pointer; readonly owners: readonly string[] }[] {
  const records = new Map(
    pointers.flatMap((one) => (one.kind === "records" ? [[one.key, one.names]] : [])),
  );
  return pointers.flatMap((ref) => {
    if (ref.kind !== "refs") return [];
    const { tag } = readRefKey(ref.key);
    const owners = tag === undefined ? [] : [tag, ...(records.get(ref.record ?? "") ?? [])];
    return [{ ref, owners }];
  });
}

interface RefKey {
  /** The full name that it was built under. */
  readonly tag?: string;
  /** What it is the last build of, for people: that name, the file, or the context. */
  readonly of: string;
}

/** Of what the last builds of stages are known by (`pipeline/last-build.ts`). */
export function readRefKey(key: string): RefKey {
  const [first = ""] = key.split("\n", 1);
  if (isFullName(first)) return { tag: first, of: first };
  const value = tryParseJson(first);
  if (!Array.isArray(value)) return { of: first };
  const [file, context] = value.map(String);
  if (file === undefined || context === undefined) return { of: first };
  if (file.startsWith("/")) return { of: file };
  return { of: context.startsWith("/") && file !== "-" ? `${context}/${file}` : context };
}

/** Of an image that cannot be read nobody knows the layers, and they must not go. Errors: `store-damaged` */
export function listNeeded(store: Store, named: NamedEntry): readonly Digest[] {
  const { name, entry } = named;
  const all = [...named.images, ...named.attestations];
  const needed = all.flatMap((image) => (image === undefined ? [] : listImageDigests(image)));
  const isWhole = named.images.length > 0 && !named.images.includes(undefined);
  if (isWhole) return [entry.digest, ...needed];
  const message = `the image ${name ?? entry.digest} of the store ${store.directory} is incomplete`;
  const hint =
    "run xbuild cache verify --repair first: until then it is unknown which layers it needs";
  throw new XbuildError("store-damaged", message, { hint });
}
