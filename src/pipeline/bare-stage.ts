import type { EngineSession } from "../engine/engine.ts";
import type { Digest } from "../oci/oci.ts";
import { nameImage } from "./resolve-images.ts";
import type { Build } from "./workspace.ts";

/**
 * The image that the environment of a build's target is, where nothing stands between FROM and OUTPUT and the image has
 * no triggers: the engine would do nothing, and tell this ID. Undefined for any other.
 */
export function findBareEnvironment({ plan, request, inputs }: Build): Digest | undefined {
  const { resolved, kind } = plan.target;
  const { base, stage } = resolved;
  if (kind === "plain" || base.kind !== "image" || stage.instructions[0] !== stage.output)
    return undefined;
  const name = nameImage(base, request) ?? "";
  return inputs.facts.get(name)?.triggers.length === 0 ? inputs.images.get(name) : undefined;
}

/** For a stage that is `--from` alone: the engine is asked for nothing. Undefined where something stands behind OUTPUT. */
export function openIdleSession(build: Build): EngineSession | undefined {
  const { target } = build.plan;
  const image = findBareEnvironment(build);
  if (image === undefined || target.kind === "plain" || target.layering.instructions.length > 0)
    return undefined;
  return {
    evaluateStage: () => Promise.resolve(image),
    runLayering: () => Promise.resolve(image),
    restoreNames: (text) => text,
    abandon: doNothing,
    end: doNothing,
  };
}

function doNothing(): Promise<void> {
  return Promise.resolve();
}
