import type { BuildReporter } from "../build/request.ts";
import { renderDiagnostic } from "../diagnostics.ts";
import type { CliIo } from "./io.ts";
import { paint, renderDuration, renderName } from "./text.ts";

/** Tells of a build as it goes: the engine's words as they come, each step of ours with its time. */
export function createReporter(io: CliIo, quiet: boolean): BuildReporter {
  const say = (text: string): void => {
    if (!quiet) io.stdout(text);
  };
  return {
    log: { stdout: (chunk) => (quiet ? undefined : io.stdout(chunk)), stderr: io.stderr },
    step: (title) => {
      const started = performance.now();
      say(`${paint(io, "bold", `==> ${title}`)}\n`);
      return (result) => {
        const time = renderDuration(performance.now() - started);
        const word = result === undefined ? "" : `: ${result}`;
        say(`${paint(io, "green", `  ✓ ${title}`)}${word} ${paint(io, "dim", `(${time})`)}\n`);
      };
    },
    explain: (reason) => io.stderr(`built because: ${renderName(reason)}\n`),
    warn: (diagnostic) => io.stderr(`${renderDiagnostic(diagnostic, { color: io.color })}\n`),
  };
}
