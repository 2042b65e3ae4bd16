import { wantsBytes } from "../delivery/delivery.ts";
import type { BuildRequest } from "./request.ts";

/** Whether the bytes of all layers are wanted here before the image has its names. */
export function needsBytes({ delivery, reuse }: BuildRequest): boolean {
  return wantsBytes(delivery) || reuse.trust === "none";
}
