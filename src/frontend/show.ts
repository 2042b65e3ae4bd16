import { layersContext, mountedNames, nameStageSource, renderMounts } from "../engine/engine.ts";
import type { BuildPlan } from "../plan/plan.ts";

/** Shows a step as the user wrote it: without what we have put into its text. @param platform where there are several */
export function createShow(
  { containerfile, graph }: BuildPlan,
  platform: string | undefined,
): (name: string) => string {
  const { escape } = containerfile;
  const mounts = graph.stages.flatMap(({ output }) =>
    output === undefined ? [] : [` ${renderMounts(mountedNames, { output, escape })}`],
  );
  // The one of a higher number begins with that of a lower one.
  const stages = graph.stages.map(({ stage }) => stage).toReversed();
  const prefix = platform === undefined ? "" : `[${platform}] `;
  return (name) => {
    const plain = mounts.reduce((text, one) => text.replaceAll(one, ""), showOutput(name));
    const named = stages.reduce(
      (text, { index, name: own = String(index) }) =>
        text.replaceAll(nameStageSource(index), () => own),
      plain,
    );
    return prefix + named;
  };
}

/** What stands in the place of OUTPUT. */
function showOutput(name: string): string {
  const at = name.indexOf(`] COPY --from=${layersContext} `);
  return at < 0 ? name : `${name.slice(0, at)}] OUTPUT`;
}
