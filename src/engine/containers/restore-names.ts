import { imageKey } from "../../plan/plan.ts";
import { nameOfKey } from "./outside-images.ts";
import { nameImages, type Session } from "./session-state.ts";
import type { PinnedImages } from "../stage-names.ts";

/** What names a run's images in a text, as the user's file names them. */
export function restoreNames(
  text: string,
  { build: { plan, images }, pinned, stages }: Session & { readonly pinned: PinnedImages },
): string {
  const nameOf = (index: number): string => plan.graph.stages[index]?.stage.name ?? String(index);
  const built = plan.dependencies.built.map((one) => [imageKey(one), nameOf(one.index)] as const);
  const stageNames = new Map(built);
  const names = [
    ...[...pinned, ...nameImages(images)].map(([key, name]): [string, string] => [
      name,
      stageNames.get(key) ?? nameOfKey(key),
    ]),
    ...[...nameImages(stages)].map(([index, id]): [string, string] => [id, nameOf(index)]),
  ];
  return names.reduce((restored, [ours, theirs]) => restored.replaceAll(ours, theirs), text);
}
