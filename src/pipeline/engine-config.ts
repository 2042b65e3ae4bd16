import { type ContainerConfig, type ImageConfig, mergeConfig } from "../oci/oci.ts";
import { enginePath, type LayeredStage, takeConfig } from "../plan/plan.ts";

/**
 * The config of an image of ours that is a stage without an OUTPUT: what the engine's image of it says, without what
 * the engine adds by itself. Triggers of the stage are the image's.
 */
export function describeEngineConfig(
  { config }: ImageConfig,
  { hasEnginePath }: Pick<LayeredStage, "hasEnginePath"> = { hasEnginePath: false },
): ContainerConfig {
  const own = takeConfig(config);
  if (!hasEnginePath || own.Env === undefined) return own;
  return mergeConfig({ ...own, Env: own.Env.filter((one) => one !== enginePath) }, {});
}
