import { z } from "zod";
import {
  checkContainerfile,
  type PlacedDiagnostic,
  type StageGraph,
} from "../containerfile/containerfile.ts";
import type { FileBuild } from "./build.ts";
import { renderUnquoted, toRanges } from "./failures.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { passBlanked } from "./pass-through.ts";

const sourceSchema = z.looseObject({ filename: z.string(), data: z.string().optional() });
const lintSchema = z.looseObject({
  warnings: z.array(z.unknown()).nullish(),
  sources: z.array(sourceSchema).nullish(),
  buildError: z.unknown().optional(),
});

/**
 * What BuildKit's own frontend finds in the file, but for OUTPUT, and what we find. BuildKit,
 * `frontend/subrequests/lint/lint.go`
 */
export async function answerLint(build: FileBuild, graph: StageGraph): Promise<Result> {
  const { info, containerfile } = build;
  const findings = checkContainerfile(containerfile, graph).filter(isOwn);
  const result = await passBlanked(build);
  const text = Buffer.from(result.metadata["result.json"] ?? "{}").toString("utf8");
  const theirs = lintSchema.parse(JSON.parse(text));
  const data = Buffer.from(info.data).toString("base64");
  const sources = (theirs.sources ?? []).map((one) => Object.assign(one, { data }));
  if (sources.length === 0) sources.push({ filename: info.filename, data });
  const error = findings.find((one) => one.severity === "error");
  const warnings = [
    ...(theirs.warnings ?? []),
    ...findings.filter((one) => one !== error).map(describeFinding),
  ];
  const all = {
    ...theirs,
    warnings,
    sources,
    ...(error === undefined
      ? {}
      : { buildError: { message: renderUnquoted(error), location: locate(error) } }),
  };
  const said = Buffer.from(result.metadata["result.txt"] ?? "").toString("utf8");
  const ours = findings.map((one) => `\n${renderUnquoted(one)}\n`).join("");
  const isClean = warnings.length === 0 && all.buildError === undefined;
  result.metadata["result.json"] = Buffer.from(JSON.stringify(all, undefined, 2));
  result.metadata["result.txt"] = Buffer.from(said + ours);
  result.metadata["result.statuscode"] = Buffer.from(isClean ? "0" : "1");
  return result;
}

/** For the rest BuildKit has rules of its own. */
function isOwn({ code, severity }: PlacedDiagnostic): boolean {
  return severity === "error" || /^(?:output|layers)-/.test(code);
}

function describeFinding(finding: PlacedDiagnostic): object {
  const { code, message, hint } = finding;
  return {
    ruleName: code,
    description: message,
    detail: hint === undefined ? message : `${message}\n  hint: ${hint}`,
    location: locate(finding),
  };
}

function locate(finding: PlacedDiagnostic): object {
  return { sourceIndex: 0, ranges: toRanges(finding) };
}
