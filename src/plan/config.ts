import type { Instruction } from "../containerfile/containerfile.ts";
import { decodeText } from "../containerfile/containerfile.ts";
import type { ContainerConfig, ImageConfig, Json } from "../oci/oci.ts";
import type { LayeredStage } from "./model.ts";
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

const enginePath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const engineLabel = "io.buildah.version";

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
 * that the engine gave them. What the engine adds by itself is left out.
 */
export function createConfig(stage: LayeredStage, configs: EvaluatedConfigs): ContainerConfig {
  const base = stage.output.inheritConfig
    ? inheritConfig(stage, configs.environment)
    : takeConfig(configs.base?.config);
  const result = configs.layering.config ?? {};
  const previous = configs.environment.config ?? {};
  const instructions = stage.layering.instructions;
  const has = (keyword: string): boolean => instructions.some((one) => one.keyword === keyword);
  const variables = namedVariables(stage, result);
  const merged: Record<string, unknown> = {
    ...base,
    Env: mergeEnv(base.Env ?? [], result.Env ?? [], variables),
    Labels: pickKeys(
      base.Labels,
      previous.Labels,
      result.Labels,
      namedKeys(stage, result, "LABEL"),
    ),
    ExposedPorts: pickKeys(
      base.ExposedPorts,
      previous.ExposedPorts,
      result.ExposedPorts,
      namedKeys(stage, result, "EXPOSE"),
    ),
    Volumes: pickKeys(
      base.Volumes,
      previous.Volumes,
      result.Volumes,
      namedKeys(stage, result, "VOLUME"),
    ),
  };
  for (const [keyword, key] of replacedKeys) if (has(keyword)) merged[key] = result[key];
  if (has("ENTRYPOINT") && !has("CMD") && !stage.commandBeforeOutput) merged["Cmd"] = undefined;
  if (has("ONBUILD")) merged["OnBuild"] = [...(base.OnBuild ?? []), ...(result.OnBuild ?? [])];
  return dropEmpty(merged);
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
export function createAuthor(stage: LayeredStage, configs: EvaluatedConfigs): string | undefined {
  if (stage.layering.instructions.some((one) => one.keyword === "MAINTAINER")) {
    return configs.layering.author;
  }
  return stage.output.inheritConfig ? configs.environment.author : undefined;
}

/** The metadata instructions as history entries of their own name them. */
export function describeMetadata(stage: LayeredStage): readonly string[] {
  return stage.layering.metadata
    .filter((one: Instruction) => one.keyword !== "ARG")
    .map((one) => decodeText(one.text).replace(/\s+/g, " ").trim());
}

function takeConfig(config: ContainerConfig = {}): ContainerConfig {
  const picked: Record<string, unknown> = {};
  for (const key of containerKeys) picked[key] = config[key];
  const { [engineLabel]: _, ...labels } = config.Labels ?? {};
  return dropEmpty({ ...picked, Labels: labels });
}

function inheritConfig(stage: LayeredStage, environment: ImageConfig): ContainerConfig {
  const config = environment.config ?? {};
  const picked: Record<string, unknown> = { ...takeConfig(config) };
  if (stage.hasEnginePath) {
    picked["Env"] = config.Env?.filter((one) => one !== enginePath);
  }
  picked["OnBuild"] = stage.inheritedTriggers;
  return dropEmpty(picked);
}

function mergeEnv(
  base: readonly string[],
  result: readonly string[],
  named: ReadonlySet<string>,
): readonly string[] {
  const given = result.filter((one) => named.has(nameOf(one)));
  const values = new Map(given.map((one) => [nameOf(one), one]));
  const kept = base.map((one) => values.get(nameOf(one)) ?? one);
  const known = new Set(base.map(nameOf));
  return [...kept, ...given.filter((one) => !known.has(nameOf(one)))];
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}

type Keyed = Readonly<Record<string, Json>>;

/** Keys that the instructions name, or that the engine changed for them, with the engine's values. */
function pickKeys(
  base: Keyed | undefined,
  before: Keyed | undefined,
  after: Keyed | undefined,
  named: ReadonlySet<string>,
): Keyed {
  const changed = Object.entries(after ?? {}).filter(
    ([key, value]) =>
      named.has(key) || (named.size > 0 && JSON.stringify(before?.[key]) !== JSON.stringify(value)),
  );
  return { ...base, ...Object.fromEntries(changed) };
}

function dropEmpty(config: Readonly<Record<string, unknown>>): ContainerConfig {
  const entries = Object.entries(config).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
