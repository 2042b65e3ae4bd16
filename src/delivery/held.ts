import type { Descriptor, Digest, Image } from "../oci/oci.ts";
import type { DeliveryRequest } from "./request.ts";
import { type LayerClaim, listClaims } from "./verify-layers.ts";
import type { EngineWorkspace } from "./workspace.ts";

type Asker = Pick<EngineWorkspace, "engine">;

/** Whether the engine's storage is the only one that wants the bytes of layers. */
function isOnlyLoaded({ load, destinations, bytes }: DeliveryRequest): boolean {
  return load && destinations.length === 0 && bytes !== true;
}

/**
 * Of layers that are not here, those whose bytes the delivery needs: an image that is only loaded needs none that the
 * engine's storage has. Where a layer is packed anew on its way, there is no such layer.
 */
export async function listNeeded(
  { image, missing }: { readonly image: Image; readonly missing: readonly Descriptor[] },
  request: DeliveryRequest,
  work: Asker,
): Promise<readonly Descriptor[]> {
  const wanted = new Set(missing.map(({ digest }) => digest));
  const claims = listClaims(image).filter(({ descriptor }) => wanted.has(descriptor.digest));
  const held = await findHeld(claims, request, work);
  return missing.filter(({ digest }) => !held.has(digest));
}

/** Digests of those that the engine has, where nobody else wants their bytes. */
async function findHeld(
  claims: readonly LayerClaim[],
  request: DeliveryRequest,
  { engine }: Asker,
): Promise<ReadonlySet<Digest>> {
  const isPackedAnew = ({ descriptor: { mediaType } }: LayerClaim): boolean =>
    request.format === "docker" && mediaType.endsWith("+zstd");
  if (claims.length === 0 || !isOnlyLoaded(request) || claims.some(isPackedAnew)) return new Set();
  return engine.findLayers(
    claims.map(({ descriptor: { digest }, diffId }) => ({ digest, diffId })),
  );
}
