import {
  checkContainerfile,
  type Containerfile,
  type PlacedDiagnostic,
  resolveStages,
  type StageGraph,
  underlineParts,
} from "../containerfile/containerfile.ts";
import { XbuildError } from "../errors.ts";
import type { FileBuild } from "./build.ts";
import { listPrefixed } from "./options.ts";
import { warnClient } from "./warn.ts";

type Resolved = Pick<FileBuild, "containerfile" | "options">;

/** What the file means for a platform (`os/arch[/variant]`), or for the first that is asked for. */
export function resolveFor(
  { containerfile, options }: Resolved,
  platform: string | undefined,
): StageGraph {
  const { given, buildPlatform } = options;
  const target = given.get("target");
  const [first = ""] = (given.get("platform") ?? "").split(",");
  const contexts = [...listPrefixed(options, "context:").keys()];
  return resolveStages(containerfile, {
    ...(target === undefined || target === "" ? {} : { target }),
    buildArgs: listPrefixed(options, "build-arg:"),
    // Each may have a platform behind its name: NAME::PLATFORM.
    buildContexts: new Set(contexts.map((name) => name.split("::")[0] ?? name)),
    targetPlatform: platform ?? (first === "" ? buildPlatform : first),
    buildPlatform,
  });
}

/** Whether what is built has to do with an OUTPUT, or cannot be known for errors. */
export function needsOutput(containerfile: Containerfile, graph: StageGraph): boolean {
  const findings = [...containerfile.diagnostics, ...graph.diagnostics];
  return (
    findings.some((one) => one.severity === "error") ||
    containerfile.preamble.some(({ keyword }) => keyword === "OUTPUT") ||
    graph.needed.some((index) => graph.stages[index]?.output !== undefined)
  );
}

/** Warnings are told; errors end the build, all of them at once. Errors: `containerfile-invalid`. */
export async function reportFindings(build: FileBuild, graph: StageGraph): Promise<void> {
  const { containerfile } = build;
  const findings = checkContainerfile(containerfile, graph);
  const errors = findings.filter((one) => one.severity === "error");
  for (const finding of findings) if (isBuildWarning(finding)) await warnClient(build, finding);
  if (errors.length === 0) return;
  throw new XbuildError("containerfile-invalid", `${containerfile.file} cannot be built`, {
    diagnostics: underlineParts(errors, containerfile),
  });
}

/** What deserves a word at every build; advice on style is for a check. */
function isBuildWarning({ severity, code }: PlacedDiagnostic): boolean {
  // Which stages are left out each target says of itself.
  return severity === "warning" && /^(?:output|layers)-/.test(code) && code !== "output-unused";
}
