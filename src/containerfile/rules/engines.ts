import type { SourceRange } from "../locate.ts";
import { isHeredocStep } from "../heredocs.ts";
import type { Containerfile, Instruction, StageGraph } from "../model.ts";
import type { Finding, KnownEngine, Rule, RuleContext } from "./model.ts";

type Test = (instruction: Instruction) => boolean;

/** What not every version of an engine knows. Which does is the engine's to say. */
const features = {
  heredocs: ({ heredocs }) => heredocs.length > 0,
  "--checksum": hasFlag("checksum"),
  "--exclude": hasFlag("exclude"),
  "--keep-git-dir": hasFlag("keep-git-dir"),
  "--link": hasFlag("link"),
  "--network": hasFlag("network"),
  "--parents": hasFlag("parents"),
  "--security": hasFlag("security"),
  "--start-interval": hasFlag("start-interval"),
  "--unpack": hasFlag("unpack"),
} as const satisfies Readonly<Record<string, Test>>;

export type EngineFeature = keyof typeof features;

/** Whether the file has something that not every version of an engine knows: then the version matters. */
export function needsVersion({ instructions }: Containerfile, graph: StageGraph): boolean {
  return instructions.some((at) => listFeatures(at, graph).length > 0);
}

/** A build with an OUTPUT says heredocs in other words, but those of ONBUILD; any other file is the engine's to read. */
function listFeatures(at: Instruction, { needed, stages }: StageGraph): readonly string[] {
  const isOurs = needed.some((index) => stages[index]?.output !== undefined);
  return Object.entries(features).flatMap(([feature, isIn]) =>
    isIn(at) && !(feature === "heredocs" && isOurs && isHeredocStep(at)) ? [feature] : [],
  );
}

/** Where engines read the same text differently. */
export const engineRules: readonly Rule[] = [
  {
    code: "engine-escape-doubled",
    summary: "A line ends in a doubled escape character, which engines read differently",
    check: ({ containerfile }) => checkDoubledEscapes(containerfile),
  },
  {
    code: "engine-escape-directive",
    summary:
      "The escape directive is not in the first line, the only one where buildah looks for it",
    check: ({ containerfile }) => checkEscapeDirective(containerfile),
  },
  {
    code: "engine-version",
    summary: "The installed engine is too old for something in the file",
    check: checkVersion,
  },
];

function hasFlag(name: string): Test {
  return ({ flags }) => flags.some((flag) => flag.name === name);
}

function checkDoubledEscapes({ source, escape, instructions }: Containerfile): Finding[] {
  const doubled = escape === "\\" ? /\\\\[ \t]*\r*$/gm : /``[ \t]*\r*$/gm;
  return instructions.flatMap(({ span, heredocs }) => {
    const body = source.slice(span.start.offset, span.end.offset);
    // A heredoc's lines are read alike by all.
    const text = heredocs.length > 0 ? body.slice(0, body.indexOf("\n")) : body;
    return Array.from(text.matchAll(doubled), ({ index }) => ({
      at: rangeAt(span.start.offset + index, 2),
      message: `buildah takes ${escape} at the end of this line as a continuation, BuildKit does not`,
      hint: "put something after it, or remove it",
    }));
  });
}

function checkEscapeDirective({ source, escape }: Containerfile): Finding[] {
  if (escape === "\\") return [];
  let start = 0;
  // Some line at the head of the file holds it, or the escape would be a backslash.
  while (start < source.length && !/^[\t ]*#[\t ]*escape[\t ]*=/i.test(lineAt(source, start))) {
    start += lineAt(source, start).length + 1;
  }
  if (start === 0 || start >= source.length) return [];
  return [
    {
      at: rangeAt(start, lineAt(source, start).length),
      message: "buildah reads the escape directive only in the first line",
      hint: "move this line to the top of the file",
    },
  ];
}

function lineAt(source: string, start: number): string {
  const end = source.indexOf("\n", start);
  return source.slice(start, end === -1 ? undefined : end);
}

function rangeAt(startOffset: number, length: number): SourceRange {
  return { startOffset, endOffset: startOffset + length };
}

function checkVersion({ containerfile, graph, options }: RuleContext): Finding[] {
  const { engine } = options;
  if (engine === undefined) return [];
  return containerfile.instructions.flatMap((at) =>
    listFeatures(at, graph)
      .filter((feature) => engine.lacks.has(feature))
      .map((feature) => describeLack(at, engine, feature)),
  );
}

function describeLack(
  at: Instruction,
  { name, version, lacks }: KnownEngine,
  feature: string,
): Finding {
  const first = lacks.get(feature);
  const install = first === undefined ? "" : `install ${name} ${first} or later, or `;
  return {
    at,
    message: `${name} ${version} does not support ${feature}`,
    hint: `${install}write this without ${feature}`,
  };
}
