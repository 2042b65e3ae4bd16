import { posix } from "node:path";
import type { BuildCall } from "./commands.ts";

/** POSIX shells: a command that was not found. */
const notFound = 127;

/** Words behind which a shell reads a command. */
const beforeCommand = new Set(["!", "do", "else", "elif", "if", "then", "until", "while", "{"]);

/**
 * What to do about a layering step that failed because it calls the helper by its name alone: it is on no PATH, for that
 * would end in the image. Undefined where it is not that.
 */
export function findMissingHelper(
  { mode, mounts }: Pick<BuildCall, "mode" | "mounts">,
  { status, step }: { readonly status: number; readonly step: string | undefined },
): string | undefined {
  const [directory] = mounts;
  if (mode !== "single" || status !== notFound || directory === undefined) return undefined;
  if (step === undefined || !callsCommand(step, "layer")) return undefined;
  return `call the helper by its path: ${posix.join(directory.target, "bin/layer")}`;
}

/** Whether the text of a RUN has the word where a shell reads a command. */
export function callsCommand(text: string, command: string): boolean {
  const script = text.replace(/^RUN\s+(?:--\S+\s+)*/i, "");
  return script.split(/&&|\|\||[;|&()`\n]|\$\(/).some((part) => {
    const words = part.trim().split(/\s+/);
    const first = words.find((word) => !beforeCommand.has(word) && !/^\w+=/.test(word));
    return first === command;
  });
}
