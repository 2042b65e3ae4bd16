import type { BuildPlan } from "../../plan/plan.ts";
import type { StepsRequest } from "../model.ts";
import {
  joinScript,
  maskArguments,
  quoteWord,
  renderHeredoc,
  scriptDirectory as directory,
} from "../script.ts";
import type { BuildKitClient } from "./client.ts";
import {
  blobsContext,
  layersContext,
  lowerEnvironment,
  lowerLayering,
  lowerPlain,
  mountedNames,
  needsFloor,
} from "./lower.ts";
import type { NamedSource, SolveCall } from "./solve-call.ts";
import { nameBuiltSources, nameOwnSources } from "./sources.ts";

/** The calls that builds would make, as a shell script, but for what is xbuild's own: the layers directory and images. */
export function renderScript(
  client: BuildKitClient,
  { plans, steps }: { readonly plans: readonly BuildPlan[]; readonly steps: StepsRequest },
): string {
  const calls = plans.flatMap((plan) => listCalls(plan, steps));
  return joinScript(
    head,
    plans,
    calls.map((call, at) => renderCall(call, at + 1, client)),
  );
}

const head = `mkdir -p "$XBUILD_RUN/layers/root/bin" "$XBUILD_RUN/layers/root/input/blobs" "$XBUILD_RUN/layers/root/input/state" "$XBUILD_RUN/layers/skeleton/output/layers" "$XBUILD_RUN/layers/skeleton/output/blobs/sha256"
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
    buildArgs: maskArguments(steps),
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
    isFloored: needsFloor(target, steps),
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
  const into = call.output.kind === "tar" ? ` >"${directory}/output-${number}.tar"` : "";
  return `# ${number}. ${call.purpose}\nmkdir -p "${files.directory}"\ncat >"${files.directory}/${files.name}" ${renderHeredoc(call.text)}${words}${into}\n`;
}
