import { readSync } from "node:fs";
import {
  assertUnchanged,
  changed,
  closeFile,
  openFile,
  refuse,
  statName,
  type OutputDirectory,
  type OutputFile,
} from "../../archive/archive.ts";
import { createSource, type JsonSource } from "../../oci/oci.ts";

/** Bytes. */
const maxDocumentSize = 4 * 1024 * 1024;

/**
 * A JSON document of the output, unread; undefined where there is none. Errors: `output-json-too-large`,
 * `output-file-type`, `output-unreadable`, `output-changed`.
 */
export function readDocument(output: OutputDirectory, name: string): JsonSource | undefined {
  const stats = statName(output, name);
  if (stats === undefined) return undefined;
  const file = openFile(output, name, stats);
  try {
    assertSize(file);
    return createSource(readWhole(file), file.shown);
  } finally {
    closeFile(file);
  }
}

/** Of the open file: what its name stands for may have grown since it was looked at. */
function assertSize(file: OutputFile): void {
  if (file.stats.size <= maxDocumentSize) return;
  const message = `it is larger than ${maxDocumentSize} bytes`;
  const hint = "leave out what is not needed";
  throw refuse("output-json-too-large", message, { file: file.shown, hint });
}

function readWhole(file: OutputFile): Buffer {
  const bytes = Buffer.alloc(file.stats.size);
  let done = 0;
  while (done < bytes.length) {
    const length = readSync(file.fd, bytes, done, bytes.length - done, done);
    if (length === 0) throw changed(file.shown);
    done += length;
  }
  assertUnchanged(file);
  return bytes;
}
