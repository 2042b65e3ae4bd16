import type { Reporter } from "../../reporter.ts";
import { showDiagnostic } from "../../diagnostics.ts";
import { paintText, show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { createPages } from "../pages.ts";
import { renderDuration } from "./text.ts";

export interface ReporterOptions {
  /** Nothing of how it goes is told; warnings are. */
  readonly quiet: boolean;
}

/** Tells of a build as it goes: the engine's words as they come, each step of ours with its time. */
export function createReporter(io: CliIo, { quiet }: ReporterOptions): Reporter {
  const progress = createProgress(io, { quiet });
  const options = { color: io.color, page: createPages(io) };
  const say = (text: Visible): void => {
    progress.clear();
    if (!quiet) io.stdout(text);
  };
  return {
    log: { stdout: (chunk) => (quiet ? undefined : io.stdout(chunk)), stderr: io.stderr },
    step: (title) => {
      const started = performance.now();
      say(show`${paintText(io, "bold", `==> ${title}`)}\n`);
      return (result) => {
        const time = renderDuration(performance.now() - started);
        const word = result === undefined ? "" : `: ${result}`;
        say(
          show`${paintText(io, "green", `  ✓ ${title}`)}${word} ${paintText(io, "dim", `(${time})`)}\n`,
        );
      };
    },
    progress: progress.tell,
    explain: (reason) => io.stderr(show`built because: ${reason}\n`),
    warn: (diagnostic) => {
      progress.clear();
      io.stderr(show`${showDiagnostic(diagnostic, options)}\n`);
    },
  };
}

/** Where nothing can be written over, a line every so many milliseconds is enough to see that it goes on. */
const plainInterval = 10_000;

interface Progress {
  readonly tell: (text: string) => void;
  /** Takes the line away: something else is to be said. */
  readonly clear: () => void;
}

function createProgress(io: CliIo, { quiet }: ReporterOptions): Progress {
  let isShown = false;
  let saidAt = Date.now();
  const clear = (): void => {
    if (isShown) io.stdout(show`\r\u001b[K`);
    isShown = false;
    saidAt = Date.now();
  };
  const tell = (text: string): void => {
    if (quiet) return;
    if (io.terminal) {
      io.stdout(show`\r\u001b[K    ${text}`);
      isShown = true;
    } else if (Date.now() - saidAt >= plainInterval) {
      io.stdout(show`    ${text}\n`);
      saidAt = Date.now();
    }
  };
  return { tell, clear };
}
