import type { Reference } from "../../containerfile/containerfile.ts";
import { type ContainerConfig, type Digest, parseConfig } from "../../oci/oci.ts";
import { hasHeredocs, imageKey, readHeredocs, type StageStart } from "../../plan/plan.ts";
import type { EngineBuild } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";
import { type LoweredHeredocs, lowerHeredocs } from "./lower-heredocs.ts";

const imagePrefix = "docker-image://";

/**
 * The heredocs of a build's file, lowered: with the variables and the shell of the images that it stands on, which are
 * read where the file has a heredoc.
 */
export async function findHeredocs(
  { plan, steps, images }: Pick<EngineBuild, "plan" | "steps" | "images">,
  { readConfig }: Pick<ContainersCommands, "readConfig">,
): Promise<LoweredHeredocs> {
  if (!hasHeredocs(plan)) return new Map();
  const findId = (base: Reference): Digest | undefined => {
    const context = base.kind === "context" ? (steps.buildContexts.get(base.name) ?? "") : "";
    const key = context.startsWith(imagePrefix) ? context.slice(imagePrefix.length) : undefined;
    return images.get(key ?? imageKey(base) ?? "");
  };
  const bases = new Set(plan.needed.flatMap(({ base }) => findId(base) ?? []));
  const starts = new Map<Digest | undefined, StageStart>();
  for (const id of bases) starts.set(id, describeStart(parseConfig(await readConfig(id)).config));
  const read = readHeredocs(plan, (base) => starts.get(findId(base)));
  return lowerHeredocs(plan.containerfile, read);
}

function describeStart({ Env, Shell }: ContainerConfig = {}): StageStart {
  const pairs = (Env ?? []).map((one): [string, string] => {
    const equals = one.indexOf("=");
    return equals === -1 ? [one, ""] : [one.slice(0, equals), one.slice(equals + 1)];
  });
  return { environment: new Map(pairs), shell: Shell?.length === 0 ? undefined : Shell };
}
