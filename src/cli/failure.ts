import { exitStatuses, XbuildError } from "../errors.ts";
import { renderDiagnostic } from "../diagnostics.ts";
import type { CliIo } from "./io.ts";

export interface Failure {
  readonly text: string;
  readonly exitStatus: number;
}

/** What a person sees of an error: no stack trace, except for a fault of our own with XBUILD_DEBUG set. */
export function renderFailure(error: unknown, io: CliIo, interrupted: boolean): Failure {
  if (interrupted) {
    return {
      text: "xbuild: interrupted; nothing was changed\n",
      exitStatus: exitStatuses.interrupted,
    };
  }
  if (error instanceof XbuildError) {
    return { text: renderError(error, io), exitStatus: error.exitStatus };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack = io.env["XBUILD_DEBUG"] && error instanceof Error ? `${error.stack}\n` : "";
  return {
    text: `xbuild: error[internal]: ${message}\n${stack}  hint: this is a fault of xbuild; XBUILD_DEBUG=1 shows where\n`,
    exitStatus: exitStatuses.refused,
  };
}

function renderError(error: XbuildError, io: CliIo): string {
  const located = error.diagnostics.map((one) => `${renderDiagnostic(one, { color: io.color })}\n`);
  if (located.length > 0) return located.join("");
  const hint = error.hint === undefined ? "" : `  hint: ${error.hint}\n`;
  return `xbuild: error[${error.code}]: ${error.message}\n${hint}`;
}
