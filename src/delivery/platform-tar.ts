import { join, resolve } from "node:path";
import type { Step } from "../reporter.ts";
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
  work: Work & Pick<Step, "progress">,
): Promise<void> {
  const { engine, run, progress, signal } = work;
  const archives: Archive[] = [];
  for (const { directory, source } of files) {
    const archive = join(run.directory, `files-${directory}.tar`);
    await engine.writeFiles(source, `type=tar,dest=${archive}`, work);
    archives.push({ directory, path: archive });
  }
  const content = joinArchives(archives);
  const onWait = (): void => progress({ now: "waiting for a reader" });
  const what = `-o type=tar,dest=${path}`;
  const place = path === "-" ? "/dev/stdout" : resolve(path);
  const file = await prepareFile({ path: place, what, content, signal, onWait });
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
