import type { Descriptor, Digest } from "../oci/oci.ts";
import { listMissingLayers, readLocations } from "../store/store.ts";
import type { RegistryAnswers } from "./answers.ts";
import { indexHolders, type FindHolders } from "./holders.ts";
import type { Push, PushWorkspace } from "./push-layers.ts";
import { listSeen } from "./seen-layers.ts";

/**
 * What is known of a layer and the repository that it is to be in: when it was seen there; that it is there as far as
 * anybody knows; that it is not, as the registry says; nothing.
 */
export type Presence =
  | { readonly kind: "there"; readonly seenAt: number }
  | { readonly kind: "believed" | "missing" | "unknown" };

/** Finds out where the layers of one push are. */
export type FindLayer = (layer: Descriptor) => Promise<Presence>;

/**
 * Asks whether the repository has a layer, and mounts it from others of its registry. Nothing is asked after layers
 * that were seen there a short time ago. @param stop ends what is still asked
 */
export async function createFindLayer(
  push: Push,
  stop: AbortSignal,
  work: PushWorkspace,
): Promise<FindLayer> {
  const { image, repository } = push;
  const missing = await listMissingLayers(work.store, image);
  const absent = new Set(missing.map((layer) => layer.digest));
  const locations = await readLocations(work.store, image.digest);
  const seen = await listSeen({ repository, locations, absent }, work.answers);
  const findHolders = indexHolders(locations);
  const client = work.answers.session.openClient(stop);
  return async ({ digest }) => {
    const seenAt = seen.get(digest);
    if (seenAt !== undefined) return { kind: "there", seenAt };
    const holders = findHolders(digest);
    const wanted = { digest, holders, isAbsent: absent.has(digest) };
    const presence = await askOwn(push, wanted, work.answers);
    if (presence.kind === "there" || presence.kind === "believed") return presence;
    // A registry that refused the image may have said that it mounted what it did not.
    for (const { repository: from } of push.isRefused === true ? [] : holders) {
      if (from === repository || hostOf(from) !== hostOf(repository)) continue;
      const mounted = await client.mountBlob({ to: repository, from, digest });
      if (mounted === "mounted") return { kind: "there", seenAt: Date.now() };
    }
    return presence;
  };
}

interface WantedLayer {
  readonly digest: Digest;
  /** Where it may be. */
  readonly holders: ReturnType<FindHolders>;
  /** Whether its bytes are not here. */
  readonly isAbsent: boolean;
}

/** Whether the repository itself has a layer. What cannot be found out counts as what was known. */
async function askOwn(
  { repository, isChecked, isRefused = false }: Push,
  { digest, holders, isAbsent }: WantedLayer,
  { hasBlob, session }: RegistryAnswers,
): Promise<Presence> {
  const isKnown = holders.some((one) => one.repository === repository);
  if (!isKnown && !isRefused) return { kind: "unknown" };
  // It was found where it is pulled from, which answers the same question only where that is the same place.
  if (isAbsent && isChecked && !(await session.isOnePlace(repository))) return { kind: "believed" };
  const answer = await hasBlob({ repository, digest, use: "push" });
  if (answer === true) return { kind: "there", seenAt: Date.now() };
  if (answer === false) return { kind: "missing" };
  // What is here can be sent.
  return { kind: isAbsent ? "believed" : "unknown" };
}

function hostOf(repository: string): string {
  return repository.slice(0, repository.indexOf("/"));
}
