import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { type ByteString, type Entry, showBytes } from "../../archive/archive.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import type { CollectedEntry, CollectedLayer } from "../../layers/layers.ts";
import { digestHex, readCanonical, readFingerprint } from "../../oci/oci.ts";
import { completeArchive, type DirectoryFacts, findBelow } from "./complete-archive.ts";
import { layersName, places, type StepLayer, type StepMade, type StepRequest } from "./messages.ts";
import { readArchive } from "./read-archive.ts";

/** What was found of layers so far. */
export interface Findings {
  readonly warnings: Diagnostic[];
  /** Directories of new layers, the lower ones' before the others'. */
  readonly directories: Map<ByteString, Entry>;
}

/** An entry of the image, its archive as BuildKit has to have it. */
export async function describeEntry(
  entry: CollectedEntry,
  request: StepRequest,
  findings: Findings,
): Promise<StepMade["entries"][number]> {
  if (entry.kind === "empty") return { kind: "empty", history: entry.history };
  const { layer } = entry;
  const { name, status, history, diffId, descriptor } = layer;
  const fingerprint = readFingerprint(descriptor);
  const canonical = readCanonical(descriptor.annotations);
  return {
    kind: "layer",
    name,
    status: status === "base" ? "kept" : status,
    history,
    diffId,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(canonical === undefined ? {} : { canonical }),
    ...(await describeNew(layer, request, findings)),
  };
}

/** A layer that is listed twice has one archive. */
async function describeNew(
  { blob, name }: CollectedLayer,
  request: StepRequest,
  { warnings, directories }: Findings,
): Promise<Pick<StepLayer, "file" | "isEmpty" | "removed">> {
  if (blob === undefined) return {};
  // By its content: so BuildKit knows it again.
  const file = join(layersName, `${digestHex(blob.digest)}.tar`);
  const path = join(places.result, file);
  const isFirst = existsSync(blob.path);
  if (isFirst) await rename(blob.path, path);
  const facts = await readArchive({ path, shown: name }, request);
  for (const [key, one] of facts.directories) if (!directories.has(key)) directories.set(key, one);
  const find = (key: ByteString): DirectoryFacts | undefined =>
    directories.get(key) ?? findBelow(places.root, key);
  if (isFirst) await completeArchive(path, facts, find);
  if (facts.lost.length > 0) warnings.push(warnLost(name, facts.lost));
  const removed = decodeNames(facts.removed);
  return {
    file,
    isEmpty: facts.isEmpty,
    ...(removed.length === 0 ? {} : { removed }),
  };
}

/** BuildKit takes no other names than those in UTF-8. */
function decodeNames(paths: readonly ByteString[]): string[] {
  return paths
    .map((one) => Buffer.from(one, "latin1"))
    .filter((bytes) => isUtf8(bytes))
    .map((bytes) => bytes.toString("utf8"));
}

function describeCount(paths: readonly ByteString[]): string {
  const [first = ""] = paths;
  const shown = `/${showBytes(first)}`;
  return paths.length === 1 ? shown : `${paths.length} files, such as ${shown}`;
}

const maxShown = 10;

function warnLost(name: string, paths: readonly string[]): Diagnostic {
  const shown = paths.slice(0, maxShown).map((one) => `/${showBytes(one)}`);
  const more = paths.length - shown.length;
  return {
    code: "attributes-lost",
    severity: "warning",
    message: [
      `layer ${name}: BuildKit leaves out extended attributes of ${describeCount(paths)}, capabilities apart`,
      ...shown,
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join("\n"),
    hint: "build with the command where they are needed: xbuild --engine buildkit",
  };
}
