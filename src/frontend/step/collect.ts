import { lstatSync, readFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ByteString, Entry } from "../../archive/archive.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import { collectOutput } from "../../layers/layers.ts";
import { describeEntry } from "./describe-entry.ts";
import {
  layersName,
  places,
  requestName,
  requestSchema,
  resultName,
  type StepMade,
  type StepRequest,
} from "./messages.ts";
import { describePrevious } from "./previous-image.ts";
import { resolveBelow } from "./resolve-below.ts";

/**
 * What a step of BuildKit runs of ours, in the frontend's own image: reads what layering steps have written, packs what is
 * new, and leaves it with a document of what the image consists of. What is refused stands in the document, too: then the
 * step itself ends well, and the document says what is wrong. What the machine lacks fails the step: BuildKit would remember
 * an answer.
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

function toJson(config: object): NonNullable<StepMade["config"]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was read as JSON
  return config as NonNullable<StepMade["config"]>;
}

interface Refusal {
  readonly failure: Pick<XbuildError, "code" | "message" | "hint" | "diagnostics">;
}

/** What the machine lacks is no answer: another time the same output is taken. */
const ofMachine: ReadonlySet<string> = new Set([
  "store-full",
  "open-files-limit",
  "output-changed",
  "output-unreadable",
  "zstd-not-found",
]);

function describeRefusal(error: unknown): Refusal {
  if (!(error instanceof XbuildError) || ofMachine.has(error.code)) throw error;
  const { code, message, hint, diagnostics } = error;
  return { failure: { code, message, hint, diagnostics } };
}
