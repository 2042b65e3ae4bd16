import { showLines } from "../../visible.ts";
import type { CliIo } from "../io.ts";

/** What other programs are to read, byte for byte; a person in front of a terminal gets what can be shown there. */
export function printData(io: CliIo, bytes: Uint8Array): void {
  io.stdout(io.terminal ? showLines(Buffer.from(bytes).toString("utf8")) : bytes);
}

/** `1 layer`, `3 new layers`. */
export function countLayers(count: number, kind = ""): string {
  return `${count} ${kind === "" ? "" : `${kind} `}${count === 1 ? "layer" : "layers"}`;
}

export function renderDuration(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
