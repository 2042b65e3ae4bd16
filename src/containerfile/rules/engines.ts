import type { SourceRange } from "../locate.ts";
import type { Containerfile, Instruction } from "../model.ts";
import type { Finding, Rule, RuleContext } from "./model.ts";

interface Feature {
  readonly what: string;
  /** The first version of buildah that has it. */
  readonly buildah: readonly [number, number];
  readonly find: (instruction: Instruction) => boolean;
}

const features: readonly Feature[] = [
  { what: "heredocs", buildah: [1, 33], find: ({ heredocs }) => heredocs.length > 0 },
  { what: "--exclude", buildah: [1, 38], find: hasFlag("exclude") },
  { what: "--parents", buildah: [1, 40], find: hasFlag("parents") },
  { what: "--link", buildah: [1, 41], find: hasFlag("link") },
];

/** The buildah that a podman has in it, by podman's version. */
const podmanBuildah: readonly (readonly [podman: number, buildah: number])[] = [
  [4.3, 28],
  [4.4, 29],
  [4.6, 31],
  [4.7, 32],
  [4.8, 33],
  [5, 35],
  [5.2, 37],
  [5.3, 38],
  [5.5, 40],
  [5.6, 41],
];

/** Whether the file has something that not every version of an engine knows: then the version matters. */
export function needsVersion({ instructions }: Containerfile): boolean {
  return instructions.some((instruction) => features.some(({ find }) => find(instruction)));
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

function hasFlag(name: string): Feature["find"] {
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

function checkVersion({ containerfile, options }: RuleContext): Finding[] {
  const { engine } = options;
  const version = engine === undefined ? undefined : findBuildahVersion(engine);
  if (engine === undefined || version === undefined) return [];
  return containerfile.instructions.flatMap((at) =>
    features
      .filter(({ find, buildah: [major, minor] }) => find(at) && isOlder(version, [major, minor]))
      .map(({ what, buildah }) => ({
        at,
        message: `${engine.name} ${engine.version} does not support ${what}`,
        hint: `install buildah ${buildah.join(".")} or later, or write this without ${what}`,
      })),
  );
}

function isOlder(version: readonly [number, number], needed: readonly [number, number]): boolean {
  return version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1]);
}

function findBuildahVersion({
  name,
  version,
}: NonNullable<RuleContext["options"]["engine"]>): readonly [number, number] | undefined {
  const match = /(?<![0-9])([0-9]+)\.([0-9]+)/.exec(version);
  const parts = [Number(match?.[1]), Number(match?.[2])] as const;
  if (match === null || name === "buildah") return match === null ? undefined : parts;
  const own = parts[0] + parts[1] / 10;
  const minor = podmanBuildah.findLast(([podman]) => podman <= own)?.[1];
  return [1, minor ?? 0];
}
