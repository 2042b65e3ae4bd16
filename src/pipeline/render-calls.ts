import type { EngineBuild, Engine } from "../engine/engine.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import type { BuildRequest } from "./request.ts";

/** Stands for a directory that a build makes; the script that `renderCalls` gives makes it too. */
const directory = "$XBUILD_RUN";
const environmentName = "localhost/xbuild-run-expanded:latest";
const mask = "***";
const secretName = /pass|secret|token|key|credential|auth/i;

/**
 * The engine calls that a build would make, in order, each with its plain Containerfile: a shell
 * script that does what the build does, but for what is xbuild's own (the previous image under the
 * layers directory, and the image in the end). Values that look secret are masked.
 */
export function renderCalls(request: BuildRequest, plan: BuildPlan, engine: Engine): string {
  const shown = { ...request, buildArgs: maskArguments(request.buildArgs) };
  const stages = [...plan.stages, plan.environment];
  const calls = stages.map((stage) => {
    const name = stage === plan.environment ? environmentName : cacheName(shown, stage.index);
    return { call: createStageCall(shown, plan, stage, new Map()), names: [name] };
  });
  const images = {
    environment: environmentName,
    stages: new Map(plan.stages.map((stage) => [stage.index, cacheName(shown, stage.index)])),
    pinned: new Map<string, string>(),
    variables: new Set<string>(),
    epoch: shown.epoch,
  };
  const layers = { root: `${directory}/layers`, output: `${directory}/output` };
  calls.push({ call: createLayeringCall(shown, plan, images, layers, []), names: [] });
  const head = `#!/bin/sh
set -eu
XBUILD_RUN=$(mktemp -d)
mkdir -p "$XBUILD_RUN/layers/output" "$XBUILD_RUN/output"
chmod 0777 "$XBUILD_RUN/output"
`;
  return [
    head,
    ...calls.map(({ call, names }, index) => renderCall({ ...call, names }, index + 1, engine)),
  ].join("\n");
}

function maskArguments(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...values].map(([name, value]) => [name, secretName.test(name) ? mask : value]));
}

function renderCall(call: EngineBuild, number: number, engine: Engine): string {
  const files = { containerfile: "-", iidfile: `${directory}/image-${number}` };
  const words = engine.renderBuild(call, files).map(maskWord).map(quoteWord);
  const end = chooseEnd(call.text);
  return `# ${number}. ${call.purpose}\n${words.join(" ")} <<'${end}'\n${call.text}${end}\n`;
}

/** `--creds=user:password` tells its user alone. */
function maskWord(word: string): string {
  return word.replace(/^(--creds=[^:]*:).*$/s, `$1${mask}`);
}

function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (word.includes(directory)) return `"${word.replace(/["\\`]/g, "\\$&")}"`;
  return `'${word.replace(/'/g, "'\\''")}'`;
}

/** A word that no line of the text is. */
function chooseEnd(text: string): string {
  let end = "CONTAINERFILE";
  while (text.split("\n").includes(end)) end += "_";
  return end;
}
