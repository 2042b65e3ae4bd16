import { decodeBytes, encodeBytes } from "../../grammar/grammar.ts";
import type { SourceText } from "./model.ts";

/** The text that a person reads: the bytes decoded as UTF-8, wrong sequences as U+FFFD. */
export function decodeText(source: SourceText): string {
  return decodeBytes(source);
}

/** Text as a Containerfile holds it: one character for each byte of its UTF-8. */
export function encodeText(text: string): SourceText {
  return encodeBytes(text);
}

/** A file's bytes as one character a byte, so that nothing is lost and an offset is a byte's. */
export function toSourceText(bytes: Uint8Array): SourceText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
