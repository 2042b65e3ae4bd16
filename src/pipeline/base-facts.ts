import type { Reference } from "../containerfile/containerfile.ts";
import { type Digest, normalisePlatform, type WantedPlatform } from "../oci/oci.ts";
import {
  type BuildPlan,
  engineLabel,
  enginePath,
  findBottom,
  type ImageReference,
} from "../plan/plan.ts";
import { findConfig, keepConfig } from "../store/store.ts";
import type { BuildRequest } from "./request.ts";
import { findWanted, nameBuilt, nameImage, type ResolvedImage } from "./resolve-images.ts";
import type { StageImages } from "./stage-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** What of a base image's config matters to the stages on it. */
export interface BaseFacts {
  /** ONBUILD instructions, in order. */
  readonly triggers: readonly string[];
  /** Names of its variables. */
  readonly variables: ReadonlySet<string>;
  /**
   * Whether no other image has this history and another config: its last entry has a time that nothing else was made
   * at, and its entries name all that the config says. Else the engine's cache may take one for the other.
   */
  readonly isTold: boolean;
  /** What its programs are for, as it says itself. */
  readonly platform: WantedPlatform | undefined;
}

/** Facts by the images' names in the file. */
export type BasesFacts = ReadonlyMap<string, BaseFacts>;

/**
 * The names of the images from outside that stages in use stand on; one that a named context stands for has its own
 * there.
 */
export function listBaseNames(plan: BuildPlan, request: BuildRequest): readonly string[] {
  const names = plan.dependencies.stages.flatMap(({ base }) =>
    base.kind === "built" ? [] : (nameImage(base, request) ?? []),
  );
  return [...new Set(names)];
}

/** Facts of the images that other stages came to. */
export function describeStages(images: StageImages): BasesFacts {
  return new Map(
    [...images].map(([index, { image }]) => [nameBuilt(index), describeConfig(image.configBytes)]),
  );
}

/** The image that is at the bottom of a stage, by its name; undefined for none. */
export function findLowestBase(
  plan: BuildPlan,
  base: Reference,
  request: BuildRequest,
): string | undefined {
  return nameImage(findBottom(plan.dependencies.stages, base), request);
}

/**
 * Reads what the store remembers, else the engine, else (for one that nobody has pulled yet) its registry says.
 * @returns undefined where it cannot be known before the image is pulled
 */
export async function readBaseFacts(
  { id, isHere, reference }: ResolvedImage & { readonly reference: ImageReference },
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<BaseFacts | undefined> {
  if (isHere) return describeConfig(await readStoredConfig(id, work));
  const known = await findConfig(work.store, id);
  if (known !== undefined) return describeConfig(known);
  const { readConfigBytes } = await import("./identify.ts");
  const platform = findWanted(reference, request) ?? request.reuse.platform;
  const bytes = await readConfigBytes(reference.name, { id, platform }, work);
  if (bytes === undefined) return undefined;
  await keepConfig(work.store, id, bytes);
  return describeConfig(bytes);
}

/** The config of an image that the engine has: what the store remembers, else the engine says. */
export async function readStoredConfig(
  id: Digest,
  { store, engine }: BuildWorkspace,
): Promise<Uint8Array> {
  const known = await findConfig(store, id);
  if (known !== undefined) return known;
  const bytes = await engine.readConfig(id);
  await keepConfig(store, id, bytes);
  return bytes;
}

interface LooseConfig {
  readonly os?: unknown;
  readonly architecture?: unknown;
  readonly config?: Readonly<Record<string, unknown>> | null;
  readonly history?:
    | readonly { readonly created?: unknown; readonly created_by?: unknown }[]
    | null;
}

/** Of documents that others wrote: what is not as it should be counts as not there. */
function describeConfig(bytes: Uint8Array): BaseFacts {
  const document: LooseConfig = JSON.parse(Buffer.from(bytes).toString("utf8"));
  const { config } = document;
  return {
    triggers: listStrings(config?.["OnBuild"]),
    variables: new Set(listStrings(config?.["Env"]).map((one) => one.split("=", 1)[0] ?? "")),
    isTold: isTold(document),
    platform: readPlatform(document),
  };
}

function readPlatform({ os, architecture }: LooseConfig): WantedPlatform | undefined {
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return os === "" || architecture === "" ? undefined : normalisePlatform({ os, architecture });
}

function isTold({ config, history }: LooseConfig): boolean {
  const entries = Array.isArray(history) ? history : [];
  // Times of reproducible builds are whole seconds, the same again and again.
  if (!/\.\d*[1-9]/.test(String(entries.at(-1)?.created))) return false;
  const words = new Set(entries.flatMap((one) => splitWords(String(one.created_by ?? ""))));
  const texts = Object.entries(config ?? {}).flatMap(([key, value]) => listTexts(key, value));
  return texts
    .filter((text) => text !== enginePath)
    .flatMap(splitWords)
    .every((word) => words.has(word) || word === "" || word === "/");
}

function splitWords(text: string): readonly string[] {
  return text.split(/[\s"'[\],=;(){}]+/);
}

/** All that a key of a config says, what engines add by themselves left out. */
function listTexts(key: string, value: unknown): readonly string[] {
  if (key === "Hostname" || key === "Domainname" || key === "Image") return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap((one) => listTexts("", one));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === engineLabel ? [] : [name].concat(listTexts("", one)),
  );
}

function listStrings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
