import type { EngineBuild } from "../model.ts";
import { hideStep } from "./hide-values.ts";
import { layersContext } from "./lower.ts";
import { nameImageSource, nameStageSource } from "./sources.ts";

/** A step as the user wrote it: images of other stages have the stages' names. What nobody but us has written is not told of. */
export function showStep(
  name: string,
  { plan, steps }: Pick<EngineBuild, "plan" | "steps">,
): string | undefined {
  // It stands in the place of OUTPUT.
  if (isOwnCopy(name)) return undefined;
  const { built, images } = plan.dependencies;
  const names = [
    ...built.map((one) => [nameStageSource(one.index), one.name] as const),
    ...images.map((one, at) => [nameImageSource(at), one.name] as const),
  ].toReversed();
  // The one of a higher number begins with that of a lower one.
  return names.reduce(
    (text, [ours, own]) => text.replaceAll(ours, () => own),
    hideStep(name, plan, steps),
  );
}

function isOwnCopy(name: string): boolean {
  const at = name.indexOf("] ");
  return name.startsWith("[") && name.startsWith(`COPY --from=${layersContext} `, at + 2);
}
