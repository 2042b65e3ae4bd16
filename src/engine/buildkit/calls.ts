import type { BuildPlan } from "../../plan/plan.ts";
import type { EngineBuild } from "../model.ts";
import { onBuilder } from "./builders.ts";
import type { BuildKitClient } from "./client.ts";
import { sendAnew } from "./send-anew.ts";
import type { Session } from "./session-model.ts";
import { showStep } from "./show-step.ts";
import { solve, type SolveTelling } from "./solve.ts";
import type { SolveCall } from "./solve-call.ts";

/** What all calls of a build have in common. */
export function describeCall(
  { build: { steps, plan, sent }, sources }: Session,
  what: string,
): Omit<SolveCall, "text" | "output"> {
  const sentAs = sent.get(steps.context);
  return {
    context: steps.context,
    ...(sentAs === undefined ? {} : { sentAs }),
    ignoreFile: steps.ignoreFile,
    sources,
    buildArgs:
      steps.epoch === undefined
        ? steps.buildArgs
        : new Map([...steps.buildArgs, ["SOURCE_DATE_EPOCH", String(steps.epoch)]]),
    hiddenArgs: steps.hiddenArgs,
    triggerArgs: listTriggerArguments(plan),
    // The same on whatever machine the builder is.
    platform: steps.platform ?? plan.graph.options.targetPlatform,
    noCache: steps.noCache,
    // What a cache elsewhere has, any call may need.
    flags: [...steps.flags.access, ...steps.flags.step, ...listCaches(steps, "from")],
    purpose: nameCall(plan, what),
  };
}

/** `--cache-from=...` and `--cache-to=...`. */
export function listCaches(
  { flags }: EngineBuild["steps"],
  which: "from" | "to",
): readonly string[] {
  return flags.cache.filter((flag) => flag.startsWith(`--cache-${which}=`));
}

/** Has a builder of the build do a call. Errors: as `solve`. */
export function solveStep(
  session: Session,
  call: SolveCall,
  telling: Partial<SolveTelling>,
): Promise<void> {
  const { plan } = session.build;
  const whole = {
    containerfile: plan.containerfile,
    told: session.told,
    show: (name: string) => showStep(name, session.build),
    ...telling,
  };
  return onBuilder(
    session,
    async (client: BuildKitClient) => {
      await sendAnew(session, call, client);
      await solve({ call, client }, whole, session);
    },
    session,
  );
}

/** The target is not named where it is the last stage without a name. */
function nameCall({ target, containerfile }: BuildPlan, what: string): string {
  const isNamed = containerfile.stages[target.index]?.name !== undefined;
  return what === target.name || !isNamed ? what : `${what} of ${target.name}`;
}

/** Names that triggers of bases declare: their texts are not ours to change. */
function listTriggerArguments({ dependencies }: BuildPlan): ReadonlySet<string> {
  const declarations = [...dependencies.fired].filter(({ keyword }) => keyword === "ARG");
  return new Set(
    declarations.flatMap(({ args }) =>
      args.split(/\s+/).map((word) => word.split("=", 1)[0] ?? ""),
    ),
  );
}
