import { createHash } from "node:crypto";
import type { Digest } from "./model.ts";

/** The sha256 digest of these bytes. image-spec v1.1, descriptor.md, "Digests". */
export function digestBytes(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** What tells texts apart where a whole digest is too long: the first 16 hex digits of its sha256. */
export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Whether a text is a sha256 digest in its one valid spelling (lower-case hex, 64 of them). */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The hex digits of a digest: the name of its file in a layout's `blobs/sha256/`. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}
