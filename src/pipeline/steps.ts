import type { RunContext } from "../engine/engine.ts";
import type { LayersDirectory } from "../layers/layers.ts";
import type { Digest, ImageConfig } from "../oci/oci.ts";
import type { EvaluatedConfigs } from "../plan/plan.ts";
import type { BuildPlan, LayeringImages, PinnedImages } from "../plan/plan.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import { addNames } from "./engine-names.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";

/** One build's place on the disk and in the engine's storage. */
export interface StepsRun {
  /** What names it in the engine's storage. */
  readonly label: string;
  readonly directory: string;
  /** Writes down what a later run must clean up if this one is killed. */
  readonly note: (key: string, value: string) => Promise<void>;
  /** Takes names in the engine's storage for this run: they are removed when it ends, however it ends. */
  readonly claim: (names: readonly string[]) => Promise<void>;
}

/** The key of a note that names an engine's process. */
export const processNote = "engine-process";

/** The name that a run gives to the environment's image, so that what a killed run leaves can be told. */
function runImageName(label: string): string {
  return `localhost/xbuild-run-${label}:latest`;
}

/** The name of the image whose config says what the metadata instructions came to. */
function configImageName(label: string): string {
  return `localhost/xbuild-config-${label}:latest`;
}

/** The engine names a working container after the image that it comes from; here all are the run's own. */
export function runContainerPrefix(label: string): string {
  return `xbuild-run-${label}-`;
}

/**
 * Builds the environment (and the stages that the layering steps read) with the engine's cache.
 * @returns what the layering steps start from.
 */
export async function buildEnvironment(
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  run: StepsRun,
  bases: ReadonlyMap<string, Digest>,
): Promise<LayeringImages & { readonly config: ImageConfig }> {
  const done = ports.reporter.step("Environment");
  const { engine } = ports;
  const pinned = await pinBases(ports, run, bases);
  const stages = new Map<number, Digest>();
  for (const stage of plan.stages) {
    const call = createStageCall(request, plan, stage, pinned);
    const image = await engine.build(call, runContext(ports, run));
    await addNames(ports, image, [cacheName(request, stage.index)]);
    stages.set(stage.index, image);
  }
  const call = createStageCall(request, plan, plan.environment, pinned);
  const id = await engine.build(call, runContext(ports, run));
  const name = runImageName(run.label);
  await run.claim([name]);
  await addNames(ports, id, [cacheName(request, plan.environment.index), name]);
  const config = await readImageConfig(ports, id);
  done();
  const variables = (config.config?.Env ?? []).map((one) => one.split("=", 1)[0] ?? "");
  return {
    config,
    environment: name,
    pinned,
    stages: new Map([...stages].map(([index, image]) => [index, image.replace(/^sha256:/, "")])),
    variables: new Set(variables),
    epoch: request.epoch,
  };
}

/** Runs the layering steps with the layers directory mounted; nothing of their file system is kept. */
export async function runLayering(
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  run: StepsRun,
  images: LayeringImages & { readonly config: ImageConfig },
  layers: LayersDirectory,
): Promise<EvaluatedConfigs> {
  const done = ports.reporter.step("Layering steps");
  const names = [configImageName(run.label)];
  await run.claim(names);
  const call = createLayeringCall(request, plan, images, layers, names);
  const id = await ports.engine.build(call, runContext(ports, run));
  const layering = await readImageConfig(ports, id);
  done();
  return { environment: images.config, layering };
}

/**
 * Gives the images from outside names of this run's own. One that the file names by its ID keeps that:
 * it may have no other name, and would go with ours.
 */
async function pinBases(
  ports: BuildPorts,
  run: StepsRun,
  bases: ReadonlyMap<string, Digest>,
): Promise<PinnedImages> {
  const named = [...bases].filter(([name]) => !/^(?:sha256:.*|[0-9a-f]{3,64})$/.test(name));
  const pinned = new Map(
    named.map(([name], index) => [name, `localhost/xbuild-run-${run.label}-base${index}:latest`]),
  );
  await run.claim([...pinned.values()]);
  for (const [name, id] of named) await addNames(ports, id, [pinned.get(name) ?? name]);
  return pinned;
}

function runContext(ports: BuildPorts, run: StepsRun): RunContext {
  return {
    log: ports.reporter.log,
    signal: ports.signal,
    directory: run.directory,
    note: (process) => run.note(processNote, process),
    warn: ports.reporter.warn,
  };
}

async function readImageConfig(ports: BuildPorts, id: Digest): Promise<ImageConfig> {
  const { parseConfig } = await import("../oci/oci.ts");
  return parseConfig(await ports.engine.readConfig(id));
}
