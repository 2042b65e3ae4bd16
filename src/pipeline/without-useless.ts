import { UselessLayersError } from "../delivery/delivery.ts";
import type { Digest } from "../oci/oci.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** Does the action until it needs no layer that is of no use. Each time fewer are offered: it ends. */
export async function withoutUseless<T>(
  useless: UselessLayers,
  action: () => Promise<T>,
  work: BuildRunWorkspace,
): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      noteUseless(error, useless, work);
      await work.run.discardWork();
    }
  }
}

/** Layers of earlier images that proved to be nowhere, or not what is said of them. */
export interface UselessLayers {
  readonly request: Pick<BuildRequest, "reuse">;
  /** Added to as they prove to be so. */
  readonly useless: Set<Digest>;
}

/** @throws the error itself, where it is another one, or says nothing new */
export function noteUseless(
  error: unknown,
  { request, useless }: UselessLayers,
  { reporter }: Pick<BuildRunWorkspace, "reporter">,
): void {
  if (!(error instanceof UselessLayersError)) throw error;
  // Somebody has lied: that is no accident to go on from by oneself.
  if (error.code === "image-untrue" && !request.reuse.ignoreErrors) throw error;
  const fresh = error.digests.filter((digest) => !useless.has(digest));
  if (fresh.length === 0) throw error;
  for (const digest of fresh) useless.add(digest);
  const message = `${error.message}; building without these layers`;
  reporter.warn({ code: error.code, severity: "warning", message });
}
