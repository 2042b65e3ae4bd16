import { type EngineFlag, findEngine } from "../../engine/engine.ts";
import type { XbuildError } from "../../errors.ts";
import { parseCommandLine } from "./arguments.ts";
import { readEngineName } from "./engine-name.ts";
import { buildFlags, type BuildFlag } from "./build-flags.ts";
import type { CliIo } from "../io.ts";
import type { BuildCommandLine, BuildStart } from "./build-line.ts";

/** A command line in which flags that only the engine knows are not yet an error. */
export interface LenientLine {
  readonly line: BuildCommandLine;
  /** The flags of the installed engine's build, where it had to be asked. */
  readonly engineFlags: readonly EngineFlag[];
  /** What is wrong by our own flags: a build with OUTPUT takes no others. */
  readonly refusal: XbuildError | undefined;
  /** The error for a flag that neither xbuild nor the engine knows: what stands behind it may be misread. */
  readonly unknownFlag: XbuildError | undefined;
}

/**
 * Reads a command line as the installed engine would: where xbuild does not know a flag, the
 * engine's help tells whether a value follows. What the engine does not know either stays one word:
 * without OUTPUT it is the engine that refuses it.
 * @throws XbuildError `usage`
 */
export async function readLeniently(
  { words, read }: Pick<BuildStart, "words" | "read">,
  io: CliIo,
): Promise<LenientLine> {
  if (read.line !== undefined) {
    const { line } = read;
    const asks = line.flags.some((one) => one.spec.ours && sharedNames.has(one.spec.name));
    const engineFlags = asks ? await askEngine(words, io) : [];
    return { line, engineFlags, refusal: undefined, unknownFlag: undefined };
  }
  const refusal = read.error;
  const engineFlags = await askEngine(words, io);
  const known = [...buildFlags, ...engineFlags.filter(isNew).map(describeFlag)];
  const unheard = listUnheardOf(words, known);
  const line = parseCommandLine(words, [...known, ...unheard]);
  return { line, engineFlags, refusal, unknownFlag: unheard.length > 0 ? refusal : undefined };
}

/** Flags of ours that newer engines have as well, with the same meaning. */
const sharedNames: ReadonlySet<string> = new Set(["build-arg-file", "metadata-file"]);

async function askEngine(words: readonly string[], io: CliIo): Promise<readonly EngineFlag[]> {
  const builder = findValue(words, "--builder");
  const named = builder === undefined ? findValue(words, "--engine") : "buildkit";
  const options = builder === undefined ? [] : [`--builder=${builder}`];
  const engine = findEngine(readEngineName(named, io.env), options, io.env["PATH"]);
  return engine.listBuildFlags();
}

function findValue(words: readonly string[], flag: string): string | undefined {
  const at = words.indexOf(flag);
  if (at >= 0) return words[at + 1];
  return words.find((one) => one.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

function isNew(flag: EngineFlag): boolean {
  return !buildFlags.some((one) => one.name === flag.name);
}

function describeFlag(flag: EngineFlag): BuildFlag {
  const taken = buildFlags.some((one) => one.short === flag.short);
  return {
    name: flag.name,
    short: taken ? undefined : flag.short,
    kind: flag.takesValue ? "value" : "optional",
    role: "refused",
    ours: false,
  };
}

function listUnheardOf(
  words: readonly string[],
  known: readonly BuildFlag[],
): readonly BuildFlag[] {
  const end = words.indexOf("--");
  const given = words.slice(0, end < 0 ? words.length : end).flatMap((word) => {
    const groups = /^(?:--(?<long>[^=]+)|-(?<short>[^-=]))/.exec(word)?.groups;
    return groups === undefined ? [] : [groups];
  });
  const unheard = given.filter(
    ({ long, short }) =>
      !known.some((one) => (long === undefined ? one.short === short : one.name === long)),
  );
  return unheard.map(({ long, short }) => ({
    name: long ?? short ?? "",
    short,
    kind: "optional",
    role: "refused",
    ours: false,
  }));
}
