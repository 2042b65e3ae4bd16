import type { Descriptor } from "./model.ts";

/**
 * Whether a layer is said to be at addresses of its own, so that its repository need not have it (nondistributable
 * layers). image-spec v1.1, descriptor.md, "urls".
 */
export function isExternal({ urls }: Descriptor): boolean {
  return urls !== undefined && urls.length > 0;
}
