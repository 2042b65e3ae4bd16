import type { OutputLog, Step } from "../../reporter.ts";
import { show } from "../../visible.ts";
import { isJsonObject, type Json, tryParseJson } from "../../oci/oci.ts";

/** Told what a builder does. */
export interface SolveProgress {
  /** Takes a line of the client's standard error. */
  readonly line: (line: string) => void;
  /** How many of what may last as long as it likes are under way: steps, and images that are on their way. */
  readonly countBusy: () => number;
  /** The call has ended well: whoever was not told yet that the steps are over is told now. */
  readonly end: () => void;
  /** What a step that failed says. */
  readonly failed: () => string | undefined;
  /** The last of what the client wrote beside its records, such as an error. */
  readonly tail: () => string;
}

export interface ShownProgress {
  readonly log: OutputLog;
  readonly progress?: Step["progress"] | undefined;
  /** Steps that were told of already, by their digests: several calls of a build have them. */
  readonly told: Set<string>;
  /** A step as the user wrote it; undefined for one that nobody but us has written. */
  readonly show: (name: string) => string | undefined;
  /** What is in the names of the steps behind all of the user's, and in no others'. */
  readonly mark?: string | undefined;
  /** Told, once, when the first of those begins. */
  readonly onStepsOver?: (() => void) | undefined;
}

/**
 * Reads what a client tells with `--progress=rawjson`: records of BuildKit's `SolveStatus`, a line each. Steps are told
 * when they begin, and what they print goes on byte for byte. BuildKit, `client/graph.go`
 */
export function createProgress({
  log,
  progress,
  told,
  show: showStep,
  mark,
  onStepsOver,
}: ShownProgress): SolveProgress {
  const busy = new Set<string>();
  const names = new Map<string, string>();
  const texts: string[] = [];
  let failed: string | undefined;
  let isOver = false;
  const end = (): void => {
    if (!isOver) onStepsOver?.();
    isOver = true;
  };
  const tell = (vertex: Json): void => {
    if (!isJsonObject(vertex)) return;
    const { digest, name, started, completed, cached, error } = vertex;
    if (typeof digest !== "string" || typeof name !== "string") return;
    names.set(digest, name);
    const isRunning = started !== undefined && completed === undefined && cached !== true;
    // It has all that it stands on by then.
    if (isRunning && mark !== undefined && name.includes(mark)) end();
    if (isRunning && isUnbounded(name)) busy.add(digest);
    else busy.delete(digest);
    if (typeof error === "string" && error !== "" && !error.endsWith("context canceled"))
      failed ??= error;
    if (started === undefined || told.has(digest)) return;
    const shown = isUnbounded(name) ? showStep(name) : undefined;
    if (shown === undefined) return;
    told.add(digest);
    progress?.({ now: shown });
    const line = show`${cached === true ? "CACHED " : ""}${shown}`;
    log.stdout(Buffer.from(`${line.visible}\n`));
  };
  const print = (record: Json): void => {
    if (!isJsonObject(record)) return;
    const { vertex, stream, data } = record;
    if (typeof data !== "string" || typeof vertex !== "string") return;
    if (!isUnbounded(names.get(vertex) ?? "")) return;
    (stream === 2 ? log.stderr : log.stdout)(Buffer.from(data, "base64"));
  };
  return {
    line: (line) => {
      const record = line.startsWith("{") ? tryParseJson(line) : undefined;
      if (!isJsonObject(record)) {
        texts.push(line.slice(0, maxLength));
        if (texts.length > maxLines) texts.shift();
        return;
      }
      for (const vertex of toList(record["vertexes"])) tell(vertex);
      for (const one of toList(record["logs"])) print(one);
    },
    countBusy: () => busy.size,
    end,
    failed: () => failed,
    tail: () => texts.join("\n"),
  };
}

const maxLines = 200;
/** Of a line that is kept, in letters. */
const maxLength = 10_000;

function toList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Steps of a file, and images: what is the builder's own affair ends in a short while, or hangs. A stage may be called as
 * that is; its steps are numbered.
 */
function isUnbounded(name: string): boolean {
  if (/^\[[^\]]* \d+\/\d+\] /.test(name)) return true;
  return !/^(?:\[internal\]|\[context |exporting |importing |sending |writing |merging )/.test(
    name,
  );
}
