import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { tryParseJson } from "../../oci/oci.ts";
import { prepareFile } from "../../system/place-file.ts";
import { findTarget } from "../../system/target.ts";
import type { CliIo } from "../io.ts";
import { joinMarkdown } from "../report/markdown.ts";
import { printData } from "../report/text.ts";
import type { NamedBuild, SeveralBuilds } from "./build-several.ts";

/** A file that tells of several builds. */
interface JointFile {
  /** As the user wrote it; `-` is standard output. */
  readonly path: string;
  /** The flag with its value. */
  readonly what: string;
  /** The flag that makes a build write its own part there. */
  readonly ask: (path: string) => string;
  readonly join: (parts: readonly Part[]) => string;
}

type Part = readonly [name: string, content: Buffer];

/**
 * Runs the builds, and puts what --metadata-file and --report would have for each of them into one file. Nothing is
 * written where one fails. Errors: `output-destination`, what `run` throws.
 * @param run gets the builds, and where their words go: stdout may carry a report. @returns the exit status
 */
export async function withJointFiles(
  asked: Pick<SeveralBuilds, "builds" | "metadataFile" | "reports">,
  run: (builds: readonly NamedBuild[], io: CliIo) => Promise<number>,
  io: CliIo,
): Promise<number> {
  const files = listFiles(asked);
  const onDisk = files.filter(({ path }) => path !== "-");
  for (const { path, what } of onDisk) findTarget(resolve(io.cwd, path), what);
  const directory = await mkdtemp(join(tmpdir(), "xbuild-report-"));
  try {
    const place = (file: number, build: number): string => join(directory, `${file}-${build}`);
    const builds = asked.builds.map((build, index) => ({
      ...build,
      words: [...files.map(({ ask }, file) => ask(place(file, index))), ...build.words],
    }));
    const words = onDisk.length === files.length ? io : { ...io, stdout: io.stderr };
    const status = await run(builds, words);
    if (status !== 0) return status;
    for (const [at, file] of files.entries()) {
      const parts = builds.map(async ({ name }, index): Promise<Part> => [
        name,
        await readFile(place(at, index)),
      ]);
      await write(file, file.join(await Promise.all(parts)), io);
    }
    return 0;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function listFiles({
  metadataFile,
  reports,
}: Pick<SeveralBuilds, "metadataFile" | "reports">): readonly JointFile[] {
  const metadata = {
    path: metadataFile ?? "",
    what: `--metadata-file ${metadataFile}`,
    ask: (path: string) => `--metadata-file=${path}`,
    join: joinJson,
  };
  return [
    ...(metadataFile === undefined ? [] : [metadata]),
    ...reports.map(({ format, path, what }) => ({
      path,
      what,
      ask: (part: string) => `--report=${format}:${part}`,
      join: format === "json" ? joinJson : joinTexts,
    })),
  ];
}

function joinJson(parts: readonly Part[]): string {
  const entries = new Map(parts.map(([name, content]) => [name, tryParseJson(content)]));
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}

function joinTexts(parts: readonly Part[]): string {
  return joinMarkdown(parts.map(([name, content]) => [name, content.toString("utf8")]));
}

async function write({ path, what }: JointFile, text: string, io: CliIo): Promise<void> {
  if (path === "-") {
    printData(io, Buffer.from(text));
    return;
  }
  const file = await prepareFile({
    path: resolve(io.cwd, path),
    what,
    content: [Buffer.from(text)],
    signal: io.signal,
    onWait: () => undefined,
  });
  await file.place();
}
