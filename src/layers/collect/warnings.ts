import type { Code } from "../../codes.ts";
import type { Diagnostic } from "../../diagnostics.ts";

/** Warnings of one code that are shown one by one. */
const maxShown = 10;

/** At most ten warnings of each code, and one that says how many more there are. */
export function limitWarnings(warnings: readonly Diagnostic[]): readonly Diagnostic[] {
  const counts = new Map<Code, number>();
  const shown = warnings.filter(({ code }) => {
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    return count <= maxShown;
  });
  const more = [...counts].filter(([, count]) => count > maxShown);
  return [...shown, ...more.map(([code, count]) => warnMore(code, count - maxShown))];
}

function warnMore(code: Code, count: number): Diagnostic {
  const message = `${count} more of the same are not shown`;
  return { code, severity: "warning", message, file: "output" };
}
