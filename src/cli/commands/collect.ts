import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuildResult,
  type BuildWorkspace,
  collectDirectory,
  type CollectRequest,
  describeEvents,
  prepareDirectory,
} from "../../pipeline/pipeline.ts";
import { openStore } from "../../store/store.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { show } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { isSet } from "../line/arguments.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { createReporter } from "../report/reporter.ts";
import type { ResultFiles } from "../report/result-files.ts";
import { reportResult } from "../report/result.ts";
import {
  type CollectLine,
  createCollectRequest,
  findOutput,
  readCollectLine,
} from "../request/collect-request.ts";
import { makeEmptyDirectory } from "../request/empty-directory.ts";
import { readAccess } from "../request/registries.ts";
import { findStoreDirectory } from "../request/store-directory.ts";
import { createResultOptions, prepareFiles, withWords } from "./build-workspace.ts";

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
  --metadata-file, --report, --layers, --cache-tags, -q, --tls-verify, --creds, --authfile, --cert-dir, --retry, --retry-delay,
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
  const work = await openWorkspace(line, collect, io);
  const files = await prepareFiles(line, terminal, work);
  const request = { ...collect.request, output };
  const result = await collectWithFiles(request, files, work);
  await reportResult(result, io, { ...options, milliseconds: Date.now() - started });
  return 0;
}

/** Of what it began nothing is left where it fails. */
async function prepare(line: BuildCommandLine, collect: CollectLine, io: CliIo): Promise<number> {
  const { directory, request } = collect;
  await makeEmptyDirectory(directory, "--prepare");
  try {
    await prepareDirectory(directory, request, await openWorkspace(line, collect, io));
  } catch (error) {
    for (const name of await readdir(directory)) await removeTree(join(directory, name));
    throw error;
  }
  if (!request.steps.quiet) io.stdout(show`${directory}\n`);
  return 0;
}

async function openWorkspace(
  line: BuildCommandLine,
  { request, engine }: CollectLine,
  io: CliIo,
): Promise<BuildWorkspace> {
  const { signal } = io;
  const reporter = createReporter(io, { quiet: request.steps.quiet });
  return {
    engine,
    reporter,
    signal,
    store: await openStore(findStoreDirectory(io), describeEvents({ reporter, signal })),
    registries: readAccess(line, io),
    now: `${new Date().toISOString().slice(0, 19)}Z`,
  };
}

async function collectWithFiles(
  request: CollectRequest,
  files: ResultFiles | undefined,
  work: BuildWorkspace,
): Promise<BuildResult> {
  if (files === undefined) return collectDirectory(request, work);
  try {
    const result = await collectDirectory(request, { ...work, beforeNaming: files.prepare });
    await files.place(result);
    return result;
  } finally {
    await files.discard();
  }
}
