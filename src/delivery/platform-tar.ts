import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { prepareFile } from "../system/place-file.ts";
import type { Work } from "./destinations.ts";
import type { PlatformFiles } from "./index-destinations.ts";
import { prefixTar, tarEnd } from "./prefix-tar.ts";

/**
 * Writes the files of several platforms' images as one tar, a directory for each platform, as BuildKit's exporter does.
 * Errors: `output-destination`. @param path "-" is standard output
 */
export async function writeTar(
  files: readonly PlatformFiles[],
  path: string,
  work: Work,
): Promise<void> {
  const { engine, run, reporter, signal } = work;
  const archives: Archive[] = [];
  for (const { directory, source } of files) {
    const archive = join(run.directory, `files-${directory}.tar`);
    await engine.writeFiles(source, `type=tar,dest=${archive}`, work);
    archives.push({ directory, path: archive });
  }
  const content = joinArchives(archives);
  if (path === "-") return pipeline(content, process.stdout, { end: false, signal });
  const onWait = (): void => reporter.progress("waiting for a reader");
  const what = `-o type=tar,dest=${path}`;
  const file = await prepareFile({ path, what, content, signal, onWait });
  try {
    await file.place();
  } finally {
    await file.discard();
  }
}

interface Archive {
  readonly directory: string;
  readonly path: string;
}

async function* joinArchives(archives: readonly Archive[]): AsyncGenerator<Buffer> {
  for (const { path, directory } of archives) yield* prefixTar(path, directory);
  yield tarEnd;
}
