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
  rmi: async () => (await import("./commands/rmi.ts")).runRmi,
  cache: async () => (await import("./commands/cache.ts")).runCache,
  help: async () => runHelp,
};

/** Runs the command that the first word names; other words are those of `build`. @returns the exit status. */
export async function runCommand(words: readonly string[], io: CliIo): Promise<number> {
  const [first = "", ...rest] = words;
  if (Object.hasOwn(commands, first)) {
    const command = await commands[first]?.();
    if (command !== undefined) return command(rest, io);
  }
  return startBuild(words, io);
}

/** While the engine looks for the images, the rest is loaded: each takes as long as the other. */
async function startBuild(words: readonly string[], io: CliIo): Promise<number> {
  const { beginBuild } = await import("./request/ask-ahead.ts");
  const start = await beginBuild(words, io);
  const { runBuild } = await import("./commands/build.ts");
  return runBuild(start, io);
}

async function runHelp(_: readonly string[], io: CliIo): Promise<number> {
  const [{ renderHelp }, { showLines }] = await Promise.all([
    import("./line/help.ts"),
    import("../visible.ts"),
  ]);
  io.stdout(showLines(renderHelp()));
  return 0;
}
