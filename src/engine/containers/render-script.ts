import type { Digest } from "../../oci/oci.ts";
import { type BuildPlan, hasHeredocs, imageKey, type StagePlan } from "../../plan/plan.ts";
import type { StepsRequest } from "../model.ts";
import {
  joinScript,
  mask,
  maskArguments,
  quoteWord,
  renderHeredoc,
  scriptDirectory as directory,
} from "../script.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import type { BuildCall, ContainersCommands } from "./commands.ts";
import { findHeredocs } from "./find-heredocs.ts";
import type { CallDocument, LoweredHeredocs } from "./lower-heredocs.ts";

const documentsDirectory = `${directory}/documents`;
const environmentName = "localhost/xbuild-run-expanded:latest";

/**
 * The calls that a build would make, in order, each with its plain Containerfile: a shell
 * script that does what the build does, but for what is xbuild's own (the previous image under the
 * layers directory, and the images in the end). Values that look secret are masked.
 * @param plans of the images, each before those that use it
 */
export async function renderScript(
  commands: ContainersCommands,
  { plans, steps }: { readonly plans: readonly BuildPlan[]; readonly steps: StepsRequest },
): Promise<string> {
  const shown = { ...steps, buildArgs: maskArguments(steps) };
  const calls: BuildCall[] = [];
  for (const plan of plans) {
    const images = hasHeredocs(plan) ? await findBases(plan, commands) : noImages;
    const heredocs = await findHeredocs({ plan, steps: shown, images }, commands);
    calls.push(...listCalls(plan, shown, heredocs));
  }
  return joinScript(
    head,
    plans,
    calls.map((call, index) => renderCall(call, index + 1, commands)),
  );
}

const noImages: ReadonlyMap<string, Digest> = new Map();

/** Those that the engine has: what others say of the shell and of variables is not known before a build. */
async function findBases(
  { needed }: BuildPlan,
  { findImage }: ContainersCommands,
): Promise<ReadonlyMap<string, Digest>> {
  const found = new Map<string, Digest>();
  for (const { base } of needed) {
    const id = base.kind === "image" ? await findImage(base.name) : undefined;
    if (id !== undefined) found.set(imageKey(base) ?? "", id);
  }
  return found;
}

const noUnseen = { digests: new Map(), byTriggers: false, isRenewed: false };

function listCalls(
  plan: BuildPlan,
  steps: StepsRequest,
  heredocs: LoweredHeredocs,
): readonly BuildCall[] {
  const build = { plan, steps, unseen: noUnseen };
  const { target, dependencies } = plan;
  const pinned = new Map(
    dependencies.built.map((one) => [imageKey(one) ?? "", nameStageImage(one.index)]),
  );
  const others = plan.stages.filter((stage) => stage !== target);
  const stages = new Map(others.map((one) => [one.index, cacheName(steps, one)]));
  const named = plan.stages.map((stage) => ({
    ...createStageCall(build, stage, { pinned, mounted: pinned, stages, heredocs }),
    names: [nameCall(stage, plan, steps)],
  }));
  if (target.kind === "plain") return named;
  const variables = new Set<string>();
  const { epoch } = steps;
  const images = { environment: environmentName, stages, pinned, variables, epoch, heredocs };
  const place = { root: `${directory}/layers`, output: `${directory}/output` };
  return [...named, createLayeringCall(build, target, { images, directory: place, names: [] })];
}

function nameCall(stage: StagePlan, { target, graph }: BuildPlan, steps: StepsRequest): string {
  if (stage.kind === "layered") return environmentName;
  const isImage = stage === target && stage.index !== graph.target;
  return isImage ? nameStageImage(stage.index) : cacheName(steps, stage);
}

/** What the image of a stage is called where others use it. */
function nameStageImage(index: number): string {
  return `localhost/xbuild-stage-${index}:latest`;
}

const head = `mkdir -p "$XBUILD_RUN/layers/output" "$XBUILD_RUN/output/layers" "$XBUILD_RUN/output/blobs/sha256"
chmod -R 0777 "$XBUILD_RUN/output"
`;

function renderCall(call: BuildCall, number: number, commands: ContainersCommands): string {
  const iidfile = `${directory}/image-${number}`;
  const files = { containerfile: "-", iidfile, documents: documentsDirectory };
  const words = commands.renderBuild(call, files).map(maskWord).map(quoteWord);
  const documents = call.documents.map(renderDocument).join("");
  return `# ${number}. ${call.purpose}\n${documents}${words.join(" ")} ${renderHeredoc(call.text)}`;
}

/** A document is lines, or empty. */
function renderDocument({ path, content, mode }: CallDocument): string {
  const file = `"${documentsDirectory}/${path}"`;
  const permissions = mode.toString(8);
  return (
    `mkdir -p "$(dirname ${file})"\ncat >${file} ${renderHeredoc(content)}` +
    `chmod ${permissions} ${file}\n`
  );
}

/** `--creds=user:password` tells its user alone. */
function maskWord(word: string): string {
  return word.replace(/^(--creds=[^:]*:).*$/s, `$1${mask}`);
}
