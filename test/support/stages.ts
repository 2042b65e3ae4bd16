import type { Outcome } from "./xbuild.ts";

/** The stages whose steps the engine was asked for, in the order in which that began; the target has its name, too. */
export function listRun({ stderr }: Pick<Outcome, "stderr">): readonly string[] {
  const begun = stderr.matchAll(/^==> (?:(.+): )?(?:Layering steps|Stages)$/gm);
  return [...begun].map(([, name]) => name ?? "(target)");
}

/** The same, whatever the order. */
export function listRunSorted(outcome: Pick<Outcome, "stderr">): readonly string[] {
  return [...listRun(outcome)].sort();
}

/** What is said of why something is built, sorted: with --explain. */
export function listReasons({ stderr }: Pick<Outcome, "stderr">): readonly string[] {
  return [...stderr.matchAll(/^built because: (.*)$/gm)].map(([, text = ""]) => text).sort();
}

/** A stage that adds one layer, named after it, with what its context file of that name says. */
export function addingStage(name: string, base: string, more = ""): string {
  return `FROM ${base} AS ${name}
${more}OUTPUT /layers
COPY ${name} /in
RUN mkdir /o && head -n1 /in > /o/${name} && /layers/bin/layer add ${name} -C /o ${name}
`;
}
