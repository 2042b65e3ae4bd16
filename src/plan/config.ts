import { decodeText, type Instruction } from "../containerfile/containerfile.ts";
import {
  inputsLabel,
  listMembers,
  mergeConfig,
  nameVariable,
  withoutEmpty,
  type ConfigPatch,
  type ContainerConfig,
  type ImageConfig,
  type Json,
} from "../oci/oci.ts";
import type { LayeredStage, StagePlan } from "./model.ts";
import { namedKeys, namedVariables } from "./named.ts";

/** The keys that OCI and Docker images share; what else an engine writes (a hostname, ...) is its own. */
const containerKeys = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "Healthcheck",
  "Shell",
  "OnBuild",
] as const satisfies readonly (keyof ContainerConfig)[];

/** What buildah and podman give an image by themselves: a variable, and a label. */
export const enginePath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
export const engineLabel = "io.buildah.version";

/** What the engine made of the environment and of the metadata instructions after OUTPUT. */
export interface EvaluatedConfigs {
  readonly environment: ImageConfig;
  readonly layering: ImageConfig;
  /** That of the first `--from` image. */
  readonly base?: ImageConfig | undefined;
}

/**
 * The config of the stage's image before `output/config.json`: the environment's with
 * --inherit-config, else the first `--from` image's, else empty, and onto it what the metadata instructions name, with the values
 * that the engine gave them; of a stage without OUTPUT what the engine made of it. What the engine adds by itself is left out.
 */
export function createConfig(stage: StagePlan, configs: EvaluatedConfigs): ContainerConfig {
  if (stage.kind === "plain") return withoutEmpty(takeMembers(stage, configs.environment));
  const base = stage.output.inheritConfig
    ? inheritConfig(stage, configs.environment)
    : takeConfig(configs.base?.config);
  return mergeConfig(base, describeChanges(stage, configs, base));
}

/** What the metadata instructions after OUTPUT make of a config. */
function describeChanges(
  stage: LayeredStage,
  configs: EvaluatedConfigs,
  base: ContainerConfig,
): ConfigPatch {
  const result = configs.layering.config ?? {};
  const before = configs.environment.config ?? {};
  const has = (keyword: string): boolean =>
    stage.layering.instructions.some((one) => one.keyword === keyword);
  const variables = namedVariables(stage, result);
  const given = replacedKeys.filter(([keyword]) => has(keyword)).map(([, key]) => key);
  const resetsCommand = has("ENTRYPOINT") && !has("CMD") && !stage.commandBeforeOutput;
  return {
    Env: (result.Env ?? []).filter((one) => variables.has(nameVariable(one))),
    Labels: pickKeys(before.Labels, result.Labels, namedKeys(stage, result, "LABEL")),
    ExposedPorts: pickKeys(
      before.ExposedPorts,
      result.ExposedPorts,
      namedKeys(stage, result, "EXPOSE"),
    ),
    Volumes: pickKeys(before.Volumes, result.Volumes, namedKeys(stage, result, "VOLUME")),
    ...Object.fromEntries(given.map((key) => [key, result[key] ?? null])),
    ...(resetsCommand ? { Cmd: null } : {}),
    ...(has("ONBUILD") ? { OnBuild: [...(base.OnBuild ?? []), ...(result.OnBuild ?? [])] } : {}),
  };
}

const replacedKeys = [
  ["CMD", "Cmd"],
  ["ENTRYPOINT", "Entrypoint"],
  ["HEALTHCHECK", "Healthcheck"],
  ["SHELL", "Shell"],
  ["STOPSIGNAL", "StopSignal"],
  ["USER", "User"],
  ["WORKDIR", "WorkingDir"],
] as const;

/** MAINTAINER's text: the image's author. */
export function createAuthor(stage: StagePlan, configs: EvaluatedConfigs): string | undefined {
  if (stage.kind === "plain") return configs.environment.author;
  if (stage.layering.instructions.some((one) => one.keyword === "MAINTAINER")) {
    return configs.layering.author;
  }
  return stage.output.inheritConfig ? configs.environment.author : undefined;
}

/** The metadata instructions as history entries of their own name them. */
export function describeMetadata(stage: StagePlan): readonly string[] {
  // The engine's own history has them.
  if (stage.kind === "plain") return [];
  return stage.layering.metadata
    .filter((one: Instruction) => one.keyword !== "ARG")
    .map((one) => decodeText(one.text).replace(/\s+/g, " ").trim());
}

/** What a config says, without what an engine adds by itself. */
function takeConfig(config: ContainerConfig = {}): ContainerConfig {
  const { [engineLabel]: _, [inputsLabel]: __, ...labels } = config.Labels ?? {};
  const picked = containerKeys.map((key): [string, Json | undefined] => [key, config[key]]);
  return withoutEmpty(new Map([...picked, ["Labels", labels]]));
}

function inheritConfig(stage: LayeredStage, environment: ImageConfig): ContainerConfig {
  const members = takeMembers(stage, environment);
  return withoutEmpty(new Map([...members, ["OnBuild", stage.inheritedTriggers]]));
}

function takeMembers(
  { hasEnginePath }: StagePlan,
  { config = {} }: ImageConfig,
): ReadonlyMap<string, Json> {
  const members = new Map<string, Json>(listMembers(takeConfig(config)));
  const variables = (config.Env ?? []).filter((one) => !hasEnginePath || one !== enginePath);
  return new Map([...members, ["Env", variables]]);
}

type Keyed<T> = Readonly<Record<string, T>>;

/** Keys that the instructions name, or that the engine changed for them, with the engine's values. */
function pickKeys<T extends Json>(
  before: Keyed<T> | undefined,
  after: Keyed<T> | undefined,
  named: ReadonlySet<string>,
): Keyed<T> {
  const changed = Object.entries(after ?? {}).filter(
    ([key, value]) =>
      named.has(key) || (named.size > 0 && JSON.stringify(before?.[key]) !== JSON.stringify(value)),
  );
  return Object.fromEntries(changed);
}
