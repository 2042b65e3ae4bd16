import { type BuildPlan, drawGraph } from "../../plan/plan.ts";
import { quoteShell } from "../../text.ts";
import type { StepsRequest } from "../model.ts";
import type { BuildKitClient } from "./client.ts";
import {
  blobsContext,
  hasShell,
  layersContext,
  lowerEnvironment,
  lowerLayering,
  lowerPlain,
  mountedNames,
} from "./lower.ts";
import type { NamedSource, SolveCall } from "./solve-call.ts";
import { nameBuiltSources, nameOwnSources } from "./sources.ts";

/** Stands for a directory that a build makes; the script makes it too. */
const directory = "$XBUILD_RUN";
const secretName = /pass|secret|token|key|credential|auth/i;

/** The calls that builds would make, as a shell script, but for what is xbuild's own: the layers directory and images. */
export function renderScript(
  client: BuildKitClient,
  { plans, steps }: { readonly plans: readonly BuildPlan[]; readonly steps: StepsRequest },
): string {
  const calls = plans.flatMap((plan) => listCalls(plan, steps));
  const graph = drawGraph(plans).map((line) => `# ${line}\n`);
  return [
    [head, ...(graph.length > 2 ? ["\n", ...graph] : [])].join(""),
    ...calls.map((call, at) => renderCall(call, at + 1, client)),
  ].join("\n");
}

const head = `#!/bin/sh
set -eu
XBUILD_RUN=$(mktemp -d)
mkdir -p "$XBUILD_RUN/layers/root/bin" "$XBUILD_RUN/layers/root/input/blobs" "$XBUILD_RUN/layers/root/input/state" "$XBUILD_RUN/layers/skeleton/output/layers" "$XBUILD_RUN/layers/skeleton/output/blobs/sha256"
touch "$XBUILD_RUN/layers/root/history.json" "$XBUILD_RUN/layers/root/names"
chmod -R 0777 "$XBUILD_RUN/layers/skeleton/output"
`;

function listCalls(plan: BuildPlan, steps: StepsRequest): readonly SolveCall[] {
  const { target } = plan;
  const stages = new Set(nameBuiltSources(plan).values());
  const built = [...nameOwnSources(plan)].map(([key, name]): [string, NamedSource] => [
    name,
    {
      kind: "other",
      value: stages.has(name)
        ? `oci-layout://${directory}/${name}`
        : `docker-image://${key.split(" for ")[0]}`,
    },
  ]);
  const common = {
    context: steps.context,
    ignoreFile: undefined,
    sources: new Map(built),
    buildArgs: new Map(
      [...steps.buildArgs].map(([name, value]) => [
        name,
        secretName.test(name) || steps.hiddenArgs.has(name) ? "***" : value,
      ]),
    ),
    hiddenArgs: new Set<string>(),
    platform: steps.platform,
    noCache: steps.noCache,
    flags: [...steps.flags.access, ...steps.flags.step],
  };
  if (target.kind === "plain") {
    const output = { kind: "layout", directory: `${directory}/${target.name}` } as const;
    return [{ ...common, output, text: lowerPlain(plan, target), purpose: target.name }];
  }
  const layers: NamedSource = { kind: "directory", path: `${directory}/layers` };
  const blobs: NamedSource = { kind: "directory", path: `${directory}/layers/root/input` };
  const text = lowerLayering(plan, target, {
    mounted: mountedNames,
    mark: "xbuild-end",
    isFloored: hasShell(target) && steps.epoch !== undefined,
    declaresEpoch: steps.epoch !== undefined,
  });
  return [
    {
      ...common,
      text: lowerEnvironment(plan, target),
      output: { kind: "none" },
      purpose: `environment of ${target.name}`,
    },
    {
      ...common,
      text,
      sources: new Map([...built, [layersContext, layers], [blobsContext, blobs]]),
      output: { kind: "tar" },
      purpose: `layering steps of ${target.name}`,
    },
  ];
}

function renderCall(call: SolveCall, number: number, client: BuildKitClient): string {
  const files = { directory: `${directory}/file-${number}`, name: "Containerfile" };
  const { command } = client.renderBuild(call, files);
  const words = command.map(quoteWord).join(" ");
  const end = chooseEnd(call.text);
  const into = call.output.kind === "tar" ? ` >"${directory}/output-${number}.tar"` : "";
  return `# ${number}. ${call.purpose}\nmkdir -p "${files.directory}"\ncat >"${files.directory}/${files.name}" <<'${end}'\n${call.text}${end}\n${words}${into}\n`;
}

/** Our directory's variable is expanded, and nothing else. */
function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  const parts = word.split(directory).map((part) => (part === "" ? "" : quoteShell(part)));
  return parts.join(`"${directory}"`);
}

/** A word that no line of the text is. */
function chooseEnd(text: string): string {
  let end = "CONTAINERFILE";
  while (text.split("\n").includes(end)) end += "_";
  return end;
}
