import type { EngineBuild } from "../model.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import type { BuildCall, ContainersCommands } from "./commands.ts";

/** Stands for a directory that a build makes; the script that `renderCalls` gives makes it too. */
const directory = "$XBUILD_RUN";
const environmentName = "localhost/xbuild-run-expanded:latest";
const mask = "***";
const secretName = /pass|secret|token|key|credential|auth/i;

/**
 * The calls that a build would make, in order, each with its plain Containerfile: a shell
 * script that does what the build does, but for what is xbuild's own (the previous image under the
 * layers directory, and the image in the end). Values that look secret are masked.
 */
export function renderScript(
  commands: ContainersCommands,
  { plan, steps }: Pick<EngineBuild, "plan" | "steps">,
): string {
  const shown = { ...steps, buildArgs: maskArguments(steps.buildArgs) };
  const build = { plan, steps: shown, unseen: { digests: new Map(), byTriggers: false } };
  const others = plan.stages.filter(({ kind }) => kind === "plain");
  const mounted = new Map(others.map(({ index }) => [index, cacheName(steps, index)]));
  const named = plan.stages.map((stage) => {
    const isEnvironment = stage.kind === "layered";
    const name = isEnvironment ? environmentName : cacheName(steps, stage.index);
    return {
      ...createStageCall(build, stage, { pinned: new Map(), stages: mounted }),
      names: [name],
    };
  });
  const images = {
    environment: environmentName,
    stages: mounted,
    pinned: new Map<string, string>(),
    variables: new Set<string>(),
    epoch: steps.epoch,
  };
  const place = { root: `${directory}/layers`, output: `${directory}/output` };
  const layering = { images, directory: place, names: [] };
  const calls = [...named, createLayeringCall(build, plan.target, layering)];
  return [head, ...calls.map((call, index) => renderCall(call, index + 1, commands))].join("\n");
}

const head = `#!/bin/sh
set -eu
XBUILD_RUN=$(mktemp -d)
mkdir -p "$XBUILD_RUN/layers/output" "$XBUILD_RUN/output"
chmod 0777 "$XBUILD_RUN/output"
`;

function maskArguments(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...values].map(([name, value]) => [name, secretName.test(name) ? mask : value]));
}

function renderCall(call: BuildCall, number: number, commands: ContainersCommands): string {
  const files = { containerfile: "-", iidfile: `${directory}/image-${number}` };
  const words = commands.renderBuild(call, files).map(maskWord).map(quoteWord);
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
