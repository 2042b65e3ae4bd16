import { isAbsolute } from "node:path";
import { splitReference } from "../../copy/copy.ts";
import { type BuildPlan, imageKey } from "../../plan/plan.ts";
import type { EngineBuild } from "../model.ts";
import type { NamedSource } from "./solve-call.ts";

/** What images of other stages are called in a text, by their keys. */
export function nameBuiltSources({ dependencies }: BuildPlan): ReadonlyMap<string, string> {
  return new Map(
    dependencies.built.map((one) => [imageKey(one), nameStageSource(one.index)] as const),
  );
}

export function nameStageSource(index: number): string {
  return `xbuild-stage-${index}`;
}

/**
 * What a text calls the images that BuildKit has by other names there, by their keys: those of other stages, and those
 * for another platform than the result's, which buildx takes no named context for (`name::platform` is none to it).
 */
export function nameOwnSources(plan: BuildPlan): ReadonlyMap<string, string> {
  const others = plan.dependencies.images.filter(({ platform }) => platform?.isOther === true);
  return new Map([
    ...nameBuiltSources(plan),
    ...others.map((one, at) => [imageKey(one), `xbuild-image-${at}`] as const),
  ]);
}

const imagePrefix = "docker-image://";

/**
 * What the names in a build's text stand for: the very images that its inputs were made of, and the directories of named
 * contexts.
 */
export function listSources(build: EngineBuild): ReadonlyMap<string, NamedSource> {
  const { plan, steps, places } = build;
  const sources = new Map<string, NamedSource>();
  const own = nameOwnSources(plan);
  for (const [key, { source }] of places) {
    const name = own.get(key) ?? nameContext(key);
    if (name !== undefined) sources.set(name, source);
  }
  for (const [name, value] of steps.buildContexts) sources.set(name, readContext(value, places));
  return sources;
}

function readContext(value: string, places: EngineBuild["places"]): NamedSource {
  if (isAbsolute(value)) return { kind: "directory", path: value };
  const place = value.startsWith(imagePrefix)
    ? places.get(value.slice(imagePrefix.length))
    : undefined;
  return place?.source ?? { kind: "other", value };
}

/**
 * The named context that BuildKit asks for before it looks for an image: the familiar form of its name, `latest` left
 * out. BuildKit, `frontend/dockerui/namedcontext.go`
 */
export function nameContext(name: string): string | undefined {
  return makeFamiliar(name);
}

/** distribution's reference, `normalize.go`: of names of Docker Hub its host, and `library/` before a single name, go. */
function makeFamiliar(name: string): string | undefined {
  const parts = splitReference(name);
  if (parts === undefined) return undefined;
  const isHub = parts.host === undefined || /^(?:index\.)?docker\.io$/.test(parts.host);
  const path = isHub && parts.host !== undefined ? name.slice(parts.host.length + 1) : name;
  return (isHub ? path.replace(/^library\/(?=[^/]*$)/, "") : path).replace(/:latest$/, "");
}
