import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuildResult,
  type BuildWorkspace,
  collectDirectory,
  prepareDirectory,
} from "../../pipeline/pipeline.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { show } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { isSet } from "../line/arguments.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
import { createReporter } from "../report/reporter.ts";
import { reportResult } from "../report/result.ts";
import {
  type CollectLine,
  createCollectRequest,
  findOutput,
  readCollectLine,
} from "../request/collect-request.ts";
import { makeEmptyDirectory } from "../request/empty-directory.ts";
import {
  createResultOptions,
  makeWithFiles,
  openWorkspace,
  prepareFiles,
  withWords,
} from "./build-workspace.ts";

const help = show`Usage: xbuild collect DIR [-t NAME] [FLAGS]
       xbuild collect --prepare DIR [-t NAME] [FLAGS]

Makes an image of what a program wrote, without an engine: DIR is a layers directory, with output/ in it, or
the output directory itself (docs/protocol.md). It is checked, packed and compared with the previous image as
a build's is, and nothing in it is changed. With --prepare, an empty or new DIR gets what a build finds of the
previous image: history.json, names, input/, bin/layer and output/.

      --prepare            fill DIR instead
      --from IMAGE         an image whose layers stand below, in the store, a registry, oci:DIR, ...; repeatable
      --reuse HOW          what counts as equal: content or exact, as OUTPUT's
      --compression HOW    of trees and archives: gzip (default), zstd or none
      --load               load the image into an engine's storage, which needs that engine
  -t, -o, --push, --cache-from, --ignore-cache-errors, --trust-cache, --input, --platform, --label,
  --annotation, --timestamp, --max-layers, --max-layer-size, --allow-devices, --format, --iidfile,
  --metadata-file, --report, --layers, --cache-tags, --history, --progress, -q, --tls-verify, --creds, --authfile, --cert-dir, --retry, --retry-delay,
  --engine, --engine-arg   as with xbuild build

Exit status: 0; 1 refused; 125 wrong usage; 130 interrupted.
`;

/** `xbuild collect`. @returns 0 @throws XbuildError `usage`, those of `collectDirectory` */
export async function runCollect(words: readonly string[], terminal: CliIo): Promise<number> {
  const line = readCollectLine(words);
  if (isSet(line, "help")) {
    terminal.stdout(help);
    return 0;
  }
  const collect = await createCollectRequest(line, terminal);
  const io = withWords(terminal, { line }, collect.request.delivery.destinations);
  if (isSet(line, "prepare")) return prepare(line, collect, io);
  const options = createResultOptions(line, collect.request);
  const started = Date.now();
  const output = await findOutput(collect.directory);
  const { engine, request } = collect;
  const reporter = createReporter(io, { progress: readProgress(line, io) });
  const work = await openWorkspace(line, { engine, reporter }, io);
  const files = await prepareFiles(line, terminal, work);
  const make = (own: BuildWorkspace): Promise<BuildResult> =>
    collectDirectory({ ...request, output }, own);
  const result = await makeWithFiles(files, make, work);
  reporter.result(result);
  await reportResult(result, io, { ...options, milliseconds: Date.now() - started });
  return 0;
}

/** Of what it began nothing is left where it fails. */
async function prepare(
  line: BuildCommandLine,
  { directory, request, engine }: CollectLine,
  io: CliIo,
): Promise<number> {
  const reporter = createReporter(io, { progress: readProgress(line, io) });
  await makeEmptyDirectory(directory, "--prepare");
  try {
    await prepareDirectory(directory, request, await openWorkspace(line, { engine, reporter }, io));
  } catch (error) {
    for (const name of await readdir(directory)) await removeTree(join(directory, name));
    throw error;
  }
  if (!request.steps.quiet) io.stdout(show`${directory}\n`);
  return 0;
}
