import { lastValue, listValues } from "../line/arguments.ts";
import { readBuildLine } from "../line/build-line.ts";
import type { NamedBuild } from "./build-several.ts";

type Target = string | undefined;

/** For each of several builds the targets of the others that have the same Containerfile; undefined is its last stage. */
export function listOtherTargets(builds: readonly NamedBuild[]): readonly (readonly Target[])[] {
  const read = builds.map(readTarget);
  const files = new Map<string, Target[]>();
  for (const { file, target } of read) {
    const targets = files.get(file);
    if (targets === undefined) files.set(file, [target]);
    else targets.push(target);
  }
  return read.map(({ file, target }) => (files.get(file) ?? []).filter((one) => one !== target));
}

function readTarget({ words, sources }: NamedBuild): {
  readonly file: string;
  readonly target: Target;
} {
  const { line } = readBuildLine(words);
  // What is wrong with the line its build says; it is beside no other.
  if (line === undefined) return { file: words.join("\0"), target: undefined };
  const text = sources?.file === "-" ? Buffer.from(sources.bytes).toString("latin1") : "";
  const file = JSON.stringify([listValues(line, "file"), line.operands, text]);
  return { file, target: lastValue(line, "target") };
}
