import { resolve } from "node:path";
import type { Reporter } from "../../reporter.ts";
import { prepareFile, type PreparedFile } from "../../system/place-file.ts";
import { findTarget } from "../../system/target.ts";
import type { CliIo } from "../io.ts";
import type { WantedReport } from "../request/report-request.ts";
import { renderMarkdown } from "./markdown.ts";
import { printData } from "./text.ts";
import { describeMetadata, describeReport, type Result } from "./report-document.ts";

/** What a build tells of its image in files: its image ID, all of it as JSON, and reports. */
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
  /** One may be for standard output. */
  readonly reports: readonly WantedReport[];
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
 * Judges the places that --iidfile, --metadata-file and --report name, while nothing has been built yet.
 * Errors: `output-destination`, with the exit status of wrong usage.
 */
export function createResultFiles(paths: ResultPaths, io: CliIo, ports: FilePorts): ResultFiles {
  const wanted = judgeResultPaths(paths, io);
  const files = wanted.filter(({ path }) => path !== "-");
  const prepared = new Map<Wanted, Prepared>();
  const prepare = async (result: Result): Promise<void> => {
    for (const one of files) {
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
      for (const one of wanted)
        if (!files.includes(one)) printData(io, Buffer.from(one.render(result)));
    },
    discard: async () => {
      for (const { file } of prepared.values()) await file.discard();
    },
  };
}

/** What they are to get. Errors: those of `createResultFiles`. */
export function judgeResultPaths(paths: ResultPaths, io: Pick<CliIo, "cwd">): readonly Wanted[] {
  const wanted = listWanted(paths, io);
  for (const { path, what } of wanted) if (path !== "-") findTarget(path, what);
  return wanted;
}

function listWanted(
  { iidFile, metadataFile, reports }: ResultPaths,
  io: Pick<CliIo, "cwd">,
): readonly Wanted[] {
  const files = [
    { path: iidFile, what: `--iidfile ${iidFile}`, render: renderId },
    { path: metadataFile, what: `--metadata-file ${metadataFile}`, render: renderMetadata },
    ...reports.map(({ path, what, format }) => ({ path, what, render: renderers[format] })),
  ];
  return files.flatMap(({ path, ...rest }) =>
    path === undefined ? [] : [{ ...rest, path: path === "-" ? path : resolveFile(io.cwd, path) }],
  );
}

function renderId(result: Result): string {
  return "platforms" in result ? result.digest : result.configDigest;
}

function renderMetadata(result: Result): string {
  return `${JSON.stringify(describeMetadata(result), undefined, 2)}\n`;
}

const renderers: Readonly<Record<WantedReport["format"], (result: Result) => string>> = {
  json: (result) => `${JSON.stringify(describeReport(result), undefined, 2)}\n`,
  markdown: renderMarkdown,
};

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
