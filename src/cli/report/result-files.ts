import { resolve } from "node:path";
import type { BuildResult, IndexResult } from "../../pipeline/pipeline.ts";
import type { Reporter } from "../../reporter.ts";
import { prepareFile, type PreparedFile } from "../../system/place-file.ts";
import { findTarget } from "../../system/target.ts";
import type { CliIo } from "../io.ts";

/** What a build tells of: an image, or the index of those of several platforms. */
type Result = BuildResult | IndexResult;

/** What a build tells of its image in files: its image ID, and all of it as JSON. */
export interface ResultFiles {
  /** Makes their content ready, before any name moves: what could fail has failed then. */
  readonly prepare: (result: Result) => Promise<void>;
  /** Puts them in their places. */
  readonly place: (result: Result) => Promise<void>;
  /** Leaves nothing of them; harmless after `place`. */
  readonly discard: () => Promise<void>;
}

/** As the user wrote them. */
export interface ResultPaths {
  readonly iidFile: string | undefined;
  readonly metadataFile: string | undefined;
}

export interface FilePorts {
  readonly reporter: Pick<Reporter, "warn">;
  readonly signal: AbortSignal;
}

interface Wanted {
  readonly path: string;
  readonly what: string;
  readonly render: (result: Result) => string;
}

interface Prepared {
  readonly text: string;
  readonly file: PreparedFile;
}

/**
 * Judges the places that --iidfile and --metadata-file name, while nothing has been built yet.
 * Errors: `output-destination`, with the exit status of wrong usage.
 */
export function createResultFiles(paths: ResultPaths, io: CliIo, ports: FilePorts): ResultFiles {
  const wanted = judgeResultPaths(paths, io);
  const prepared = new Map<Wanted, Prepared>();
  const prepare = async (result: Result): Promise<void> => {
    for (const one of wanted) {
      const text = one.render(result);
      const earlier = prepared.get(one);
      if (earlier?.text === text) continue;
      await earlier?.file.discard();
      prepared.set(one, { text, file: await prepareText(text, one, ports) });
    }
  };
  return {
    prepare,
    place: async (result) => {
      // What was said beforehand may be more by now: layers have come here.
      await prepare(result);
      for (const { file } of prepared.values()) await file.place();
    },
    discard: async () => {
      for (const { file } of prepared.values()) await file.discard();
    },
  };
}

/** What they are to get. Errors: those of `createResultFiles`. */
export function judgeResultPaths(paths: ResultPaths, io: Pick<CliIo, "cwd">): readonly Wanted[] {
  const wanted = listWanted(paths, io);
  for (const { path, what } of wanted) findTarget(path, what);
  return wanted;
}

function listWanted(
  { iidFile, metadataFile }: ResultPaths,
  io: Pick<CliIo, "cwd">,
): readonly Wanted[] {
  const all = [
    { path: iidFile, flag: "--iidfile", render: renderId },
    { path: metadataFile, flag: "--metadata-file", render: renderAll },
  ];
  return all.flatMap(({ path, flag, render }) =>
    path === undefined
      ? []
      : [{ path: resolveFile(io.cwd, path), what: `${flag} ${path}`, render }],
  );
}

function renderId(result: Result): string {
  return "platforms" in result ? result.digest : result.configDigest;
}

function renderAll(result: Result): string {
  const document = "platforms" in result ? describeIndex(result) : result;
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** What buildx writes of several platforms' images, and what we tell of each. */
function describeIndex({
  names,
  digest,
  mediaType,
  size,
  upToDate,
  platforms,
}: IndexResult): object {
  return {
    "containerimage.descriptor": { mediaType, digest, size },
    "containerimage.digest": digest,
    ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
    names,
    digest,
    upToDate,
    platforms: platforms.map(omitNames),
  };
}

/** They are the index's. */
function omitNames(result: BuildResult): object {
  return Object.fromEntries(Object.entries(result).filter(([key]) => key !== "names"));
}

/** `resolve` would drop the slash that makes a path one of a directory. */
function resolveFile(cwd: string, path: string): string {
  return path.endsWith("/") ? `${resolve(cwd, path)}/` : resolve(cwd, path);
}

function prepareText(
  text: string,
  { path, what }: Pick<Wanted, "path" | "what">,
  { reporter, signal }: FilePorts,
): Promise<PreparedFile> {
  const onWait = (): void =>
    reporter.warn({
      code: "output-unread",
      severity: "warning",
      message: `${what}: waiting for a process that reads it`,
    });
  return prepareFile({ path, what, content: [Buffer.from(text)], signal, onWait });
}
