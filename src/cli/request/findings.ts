import {
  checkContainerfile,
  type Containerfile,
  type PlacedDiagnostic,
  type StageGraph,
} from "../../containerfile/containerfile.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { listSome } from "../../text.ts";

export type Warn = (diagnostic: Diagnostic) => void;

/** Tells each finding once. @param told takes those that have been told, by this and by other builds of the call */
export function warnOnce(warn: Warn, told: Set<string> = new Set()): Warn {
  return (diagnostic) => {
    const { code, message, file, span } = diagnostic;
    const key = JSON.stringify([code, message, file, span]);
    if (!told.has(key)) warn(diagnostic);
    told.add(key);
  };
}

/** What is worth a word where the target uses no OUTPUT, and the engine builds it: that others in the file have one. */
export function warnOfUnused(
  containerfile: Containerfile,
  graph: StageGraph,
  warn: (diagnostic: Diagnostic) => void,
): void {
  const findings = checkContainerfile(containerfile, graph);
  for (const one of foldUnused(findings)) if (one.code === "output-unused") warn(one);
}

/** A build of one of many stages says once that it does not use the others; `xbuild check` says it of each. */
export function foldUnused(findings: readonly PlacedDiagnostic[]): readonly PlacedDiagnostic[] {
  const [first, ...others] = findings.filter(({ code }) => code === "output-unused");
  if (first === undefined || others.length === 0) return findings;
  const lines = listSome(
    others.map(({ span }) => String(span?.start.line)),
    3,
  );
  const rest = `${others.length === 1 ? "does that" : "do those"} in line ${lines}`;
  const folded = { ...first, message: `${first.message}; neither ${rest}` };
  return findings
    .filter((one) => one === first || one.code !== first.code)
    .map((one) => (one === first ? folded : one));
}
