import { type BuildPlan, drawGraph } from "../plan/plan.ts";
import { quoteShell } from "../text.ts";
import type { StepsRequest } from "./model.ts";

/** Stands in a script's words for a directory that a build makes; the script makes it too. */
export const scriptDirectory = "$XBUILD_RUN";

/** What stands for a value that is not to be seen. */
export const mask = "***";
const secretName = /pass|secret|token|key|credential|auth/i;

/** Build arguments as they may be seen: those that are hidden, and those whose names sound secret, without their values. */
export function maskArguments({
  buildArgs,
  hiddenArgs,
}: Pick<StepsRequest, "buildArgs" | "hiddenArgs">): ReadonlyMap<string, string> {
  const isSecret = (name: string): boolean => secretName.test(name) || hiddenArgs.has(name);
  return new Map([...buildArgs].map(([name, value]) => [name, isSecret(name) ? mask : value]));
}

/** @param head what prepares the directory. @param calls each ends its last line */
export function joinScript(
  head: string,
  plans: readonly BuildPlan[],
  calls: readonly string[],
): string {
  const graph = drawGraph(plans).map((line) => `# ${line}\n`);
  const first = `#!/bin/sh\nset -eu\nXBUILD_RUN=$(mktemp -d)\n${head}`;
  return [[first, ...(graph.length > 2 ? ["\n", ...graph] : [])].join(""), ...calls].join("\n");
}

/** A word of a command line for a shell, in which the directory's variable alone is expanded. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!word.includes(scriptDirectory)) return quoteShell(word);
  const parts = word.split(scriptDirectory).map((part) => part.replaceAll(/["\\`$]/g, "\\$&"));
  return `"${parts.join(scriptDirectory)}"`;
}

/** What gives a command these lines: each is ended, or there is none. `<<'END'` and what follows it. POSIX.1-2017, 2.7.4 */
export function renderHeredoc(text: string): string {
  let end = "CONTAINERFILE";
  while (text.split("\n").includes(end)) end += "_";
  return `<<'${end}'\n${text}${end}\n`;
}
