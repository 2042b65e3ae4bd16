import { isUtf8 } from "node:buffer";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ByteString, type Entry, showBytes } from "../../archive/archive.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import { type CollectedEntry, type CollectedLayer, collectOutput } from "../../layers/layers.ts";
import { digestHex, readCanonical, readFingerprint } from "../../oci/oci.ts";
import {
  layersName,
  places,
  requestName,
  requestSchema,
  resultName,
  type StepLayer,
  type StepMade,
  type StepRequest,
} from "./messages.ts";
import { completeArchive, type DirectoryFacts, findBelow } from "./complete-archive.ts";
import { describePrevious } from "./previous-image.ts";
import { resolveBelow } from "./resolve-below.ts";
import { readArchive } from "./read-archive.ts";

/**
 * What a step of BuildKit runs of ours, in the frontend's own image: reads what layering steps have written, packs what is
 * new, and leaves it with a document of what the image consists of. What is refused stands in the document, too: then the
 * step itself ends well, and the document says what is wrong.
 */
export async function runCollectStep(): Promise<void> {
  const text = readFileSync(join(places.request, requestName), "utf8");
  const request = requestSchema.parse(JSON.parse(text));
  const result = await collect(request).catch(describeRefusal);
  await writeFile(join(places.result, resultName), JSON.stringify(result));
}

async function collect(request: StepRequest): Promise<StepMade> {
  const directory = await findOutput(request.output);
  const staging = join(places.result, layersName);
  await mkdir(staging);
  const { previous, output: _, version: __, ...options } = request;
  const images = previous.map((one) =>
    describePrevious({ ...one, config: Buffer.from(one.config, "base64") }),
  );
  const output = await collectOutput(directory, {
    ...options,
    reuse: request.reuse,
    epoch: request.epoch,
    compression: "none",
    previous: images,
    isKnown: () => Promise.resolve(false),
    staging,
  });
  const warnings: Diagnostic[] = [...output.warnings];
  const findings = { warnings, directories: new Map<ByteString, Entry>() };
  const entries: StepMade["entries"] = [];
  for (const entry of output.entries) entries.push(await describeEntry(entry, request, findings));
  const { config, annotations } = output;
  return {
    entries,
    ...(config === undefined ? {} : { config: toJson(config) }),
    annotations: { ...annotations },
    warnings,
  };
}

const ifThere = { throwIfNoEntry: false } as const;

/** BuildKit writes archives of its own of what is in a layer: nothing could be taken bit for bit. */
async function findOutput(path: string): Promise<string> {
  const parent = resolveBelow(places.root, dirname(path));
  const directory = parent === undefined ? undefined : join(parent, basename(path));
  const stats = directory === undefined ? undefined : lstatSync(directory, ifThere);
  if (directory === undefined || stats?.isDirectory() !== true) {
    const message = "the build listed no layers: the output directory is gone";
    throw new XbuildError("layers-none", message, {
      hint: "write layers to output/layers, and leave the directory where it is",
    });
  }
  const blobs = await readdir(join(directory, "blobs/sha256")).catch(() => []);
  if (blobs.length === 0) return directory;
  throw new XbuildError(
    "frontend-unsupported",
    "the build wrote layer blobs, which the frontend cannot take as they are",
    {
      hint: "write trees or archives to output/layers, or build with the command: xbuild --engine buildkit",
    },
  );
}

/** What was found of layers so far. */
interface Findings {
  readonly warnings: Diagnostic[];
  /** Directories of new layers, the lower ones' before the others'. */
  readonly directories: Map<ByteString, Entry>;
}

async function describeEntry(
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

const maxShown = 10;

function warnLost(name: string, paths: readonly string[]): Diagnostic {
  const shown = paths.slice(0, maxShown).map((one) => `/${showBytes(one)}`);
  const more = paths.length - shown.length;
  return {
    code: "attributes-lost",
    severity: "warning",
    message: [
      `layer ${name}: BuildKit leaves out extended attributes other than file capabilities:`,
      ...shown,
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join("\n"),
    hint: "build with the command where they are needed: xbuild --engine buildkit",
  };
}

function toJson(config: object): NonNullable<StepMade["config"]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was read as JSON
  return config as NonNullable<StepMade["config"]>;
}

interface Refusal {
  readonly failure: Pick<XbuildError, "code" | "message" | "hint" | "diagnostics">;
}

function describeRefusal(error: unknown): Refusal {
  if (!(error instanceof XbuildError)) throw error;
  const { code, message, hint, diagnostics } = error;
  return { failure: { code, message, hint, diagnostics } };
}
