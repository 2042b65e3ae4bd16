import { isAbsolute } from "node:path";
import { splitReference } from "../../copy/copy.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
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

/** @param at its place among the plan's images */
export function nameImageSource(at: number): string {
  return `xbuild-image-${at}`;
}

/**
 * What a text calls images, by their keys: names of ours, which are nobody else's. BuildKit takes a named context for the
 * stage of that name, too, and for the image of it, whatever its host.
 */
export function nameOwnSources(plan: BuildPlan): ReadonlyMap<string, string> {
  return new Map([
    ...nameBuiltSources(plan),
    ...plan.dependencies.images.map((one, at) => [imageKey(one), nameImageSource(at)] as const),
  ]);
}

/** Names that begin so are ours: in the text they stand for what a build is made of. */
const ownPrefix = "xbuild-";

/** What has names in a build. */
interface NamedBuild {
  readonly plan: Pick<BuildPlan, "containerfile">;
  readonly steps: Pick<EngineBuild["steps"], "buildContexts">;
}

/** Errors: `usage` for a stage, or a named context, with a name of ours. */
export function assertOwnNames({
  plan: { containerfile },
  steps: { buildContexts },
}: NamedBuild): void {
  const stages = containerfile.stages.flatMap(({ name }) => name ?? []);
  const names = [...stages, ...buildContexts.keys()];
  const taken = names.find((one) => one.toLowerCase().startsWith(ownPrefix));
  if (taken === undefined) return;
  throw new XbuildError("usage", `the name ${taken} cannot be used with BuildKit`, {
    hint: `names that begin with ${ownPrefix} are xbuild's own there: choose another one`,
    exitStatus: exitStatuses.usage,
  });
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
  const fired = listFired(plan);
  for (const [key, { source }] of places) {
    const names = [own.get(key), fired.has(key) ? nameContext(key) : undefined];
    for (const name of names) if (name !== undefined) sources.set(name, source);
  }
  for (const [name, value] of steps.buildContexts) sources.set(name, readContext(value, build));
  return sources;
}

/** Images that triggers name: these stand in no text of ours. Errors: `usage` where a stage has the name, too. */
function listFired({ dependencies, containerfile }: BuildPlan): ReadonlySet<string> {
  const { stages, fired } = dependencies;
  const keys = stages.flatMap(({ uses }) =>
    uses.flatMap((use) => (fired.has(use.instruction) ? (imageKey(use.reference) ?? []) : [])),
  );
  const names = new Set(containerfile.stages.map(({ name }) => name));
  const twice = keys.find((key) => names.has(nameContext(key)));
  if (twice === undefined) return new Set(keys);
  throw new XbuildError(
    "usage",
    `a stage has the name of the image ${twice}, which a trigger of a base names`,
    {
      hint: "give the stage another name",
      exitStatus: exitStatuses.usage,
    },
  );
}

function readContext(value: string, { places, sent }: EngineBuild): NamedSource {
  if (isAbsolute(value)) {
    const sentAs = sent.get(value);
    return { kind: "directory", path: value, ...(sentAs !== undefined && { sentAs }) };
  }
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
