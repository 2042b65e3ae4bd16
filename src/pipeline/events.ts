import type { Diagnostic } from "../diagnostics.ts";
import type { XbuildError } from "../errors.ts";
import type { StoreOptions } from "../store/store.ts";
import type { Reporter } from "../reporter.ts";

export interface EventPorts {
  readonly reporter: Pick<Reporter, "warn"> & Partial<Pick<Reporter, "step">>;
  readonly signal: AbortSignal;
}

/** What the store tells of while it works, as warnings; the user's signal ends its waiting. */
export function describeEvents({ reporter, signal }: EventPorts): StoreOptions {
  return {
    signal,
    // What is damaged counts as missing, and is built anew.
    onDamage: (error) => reporter.warn(describeDamage(error)),
    onWait: (message) => {
      reporter.warn({ code: "lock-busy", severity: "warning", message });
      return reporter.step?.("Waiting for another user of the store", { isBrief: true });
    },
    onCleanUp: () => reporter.step?.("Cleaning up", { isBrief: true }),
    onLeftover: (directory, reason) => {
      // Whoever interrupts knows that something is left; the next build removes it.
      if (reason !== "interrupted") reporter.warn(describeLeftover(directory, reason));
    },
  };
}

function describeDamage({ code, message, hint }: XbuildError): Diagnostic {
  return { code, severity: "warning", message, ...(hint === undefined ? {} : { hint }) };
}

function describeLeftover(directory: string, reason: string): Diagnostic {
  return {
    code: "run-left",
    severity: "warning",
    message: `${directory} could not be removed completely (${reason})`,
    hint: "leave it to the next build, which tries again; a process that a step left behind may still write there",
  };
}
