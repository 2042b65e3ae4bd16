import type { ImageReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { type Digest, type Image, type WantedPlatform } from "../oci/oci.ts";
import { maxParallel } from "./list-tags.ts";
import { readDocuments, type ReadWorkspace } from "./read-documents.ts";

/** An earlier image by its name: one that is here already, or where it is. */
export interface ReleaseName {
  readonly name: string;
  /** What the user wrote. */
  readonly source: string;
  /** Whether it was found by a pattern: what is no image there is none. */
  readonly isFound: boolean;
  readonly image?: Image;
  readonly reference?: ImageReference;
}

interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/** Of what the user wrote in one place. */
interface Failure {
  readonly source: string;
  readonly count: number;
  readonly total: number;
  readonly error: XbuildError;
}

/** What several names stand for: manifests, and of each image that is new here its config, once. Errors: the signal's reason */
export async function readDistinct(
  names: readonly ReleaseName[],
  platform: WantedPlatform,
  work: ReadWorkspace,
): Promise<{ readonly images: readonly NamedImage[]; readonly failures: readonly Failure[] }> {
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(maxParallel);
  const reader = createReader(platform, work);
  const tried = await limit.map(names, async (one) => attempt(one, reader, work));
  const failed = tried.flatMap((one) => ("error" in one ? [one] : []));
  const sources = new Set(failed.map(({ name }) => name.source));
  return {
    images: tried.flatMap((one) => ("image" in one ? [one] : [])),
    failures: [...sources].flatMap((source) => {
      const own = failed.filter(({ name }) => name.source === source);
      const total = names.filter((one) => one.source === source).length;
      return own.slice(0, 1).map(({ error }) => ({ source, count: own.length, total, error }));
    }),
  };
}

type Attempt =
  | NamedImage
  | { readonly name: ReleaseName; readonly error: XbuildError }
  | { readonly nothing: true };

async function attempt(
  one: ReleaseName,
  read: ReadOne,
  { signal }: ReadWorkspace,
): Promise<Attempt> {
  const { name, image, reference, isFound } = one;
  if (image !== undefined) return { name, image };
  try {
    const found = reference && (await read(reference));
    if (found !== undefined) return { name, image: found };
    if (isFound) return { nothing: true };
    throw new XbuildError("image-not-found", `there is no image ${name}`);
  } catch (error) {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
    const isOther = isFound && /^image-(?:invalid|unsupported)$/.test(error.code);
    return isOther ? { nothing: true } : { name: one, error };
  }
}

type ReadOne = (reference: ImageReference) => Promise<Image | undefined>;

function createReader(platform: WantedPlatform, work: ReadWorkspace): ReadOne {
  const { signal } = work;
  const byConfig = new Map<Digest, Promise<Image | undefined>>();
  return async (reference) => {
    if (reference.repository === undefined) return readDocuments(reference, platform, work);
    const { readRemoteId } = await import("../copy/copy.ts");
    const options = { access: work.registries, session: work.answers?.session, platform, signal };
    const id = await readRemoteId(reference, options);
    if (id === undefined) return undefined;
    const earlier = byConfig.get(id);
    if (earlier !== undefined) return earlier;
    // Its manifest has been read: the session knows it.
    const reading = readDocuments(reference, platform, work);
    byConfig.set(id, reading);
    return reading;
  };
}
