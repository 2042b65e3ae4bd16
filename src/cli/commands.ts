import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CliIo, Command } from "./io.ts";

/** Commands by name, each loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  build: async () => startBuild,
  bake: async () => (await import("./commands/bake.ts")).runBake,
  check: async () => (await import("./commands/check.ts")).runCheck,
  parse: async () => (await import("./commands/parse.ts")).runParse,
  expand: async () => (await import("./commands/expand.ts")).runExpand,
  collect: async () => (await import("./commands/collect.ts")).runCollect,
  images: async () => (await import("./commands/images.ts")).runImages,
  ls: async () => (await import("./commands/images.ts")).runImages,
  tag: async () => (await import("./commands/tag.ts")).runTag,
  rebase: async () => (await import("./commands/rebase.ts")).runRebase,
  split: async () => (await import("./commands/split.ts")).runSplit,
  plan: async () => (await import("./commands/plan.ts")).runPlan,
  rmi: async () => (await import("./commands/rmi.ts")).runRmi,
  cache: async () => (await import("./commands/cache.ts")).runCache,
  help: async () => runHelp,
};

/**
 * Runs the command that the first word names; other words are those of `build`. @returns the exit status.
 * @throws XbuildError `context-not-found` for a word that is neither a command nor a directory
 */
export async function runCommand(words: readonly string[], io: CliIo): Promise<number> {
  const [first = "", ...rest] = words;
  if (Object.hasOwn(commands, first)) {
    const command = await commands[first]?.();
    if (command !== undefined) return command(rest, io);
  }
  if (isMistyped(first, io)) {
    const { unknownCommand } = await import("./line/unknown-command.ts");
    throw unknownCommand(first, Object.keys(commands));
  }
  return startBuild(words, io);
}

/** Whether a first word looks like a command's name, and is no context either: all that the engines could read has other letters. */
function isMistyped(word: string, { cwd }: CliIo): boolean {
  return /^[a-z][a-z-]*$/i.test(word) && !existsSync(resolve(cwd, word));
}

/** While the engine looks for the images, the rest is loaded: each takes as long as the other. */
async function startBuild(words: readonly string[], io: CliIo): Promise<number> {
  const { beginBuild } = await import("./request/ask-ahead.ts");
  const start = await beginBuild(words, io);
  const { runBuild } = await import("./commands/build.ts");
  return runBuild(start, io);
}

/** `xbuild help`, and `xbuild help COMMAND`. */
async function runHelp([name, ...more]: readonly string[], io: CliIo): Promise<number> {
  if (name !== undefined && name !== "help") return runCommand([name, ...more, "--help"], io);
  const [{ renderHelp }, { showLines }] = await Promise.all([
    import("./line/help.ts"),
    import("../visible.ts"),
  ]);
  io.stdout(showLines(renderHelp()));
  return 0;
}
