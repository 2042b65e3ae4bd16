import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ContainerfileParser, readContainerfile } from "./containerfile.ts";
import type { Segment } from "./model.ts";
import { createOutputTokens } from "./output-tokens.ts";
import { OutputParser } from "./output.ts";
import { createLineLexer } from "./tokens.ts";

function kinds(source: string): Segment["kind"][] {
  return readContainerfile(source).segments.map(({ kind }) => kind);
}

/** Pieces that a Containerfile may be broken into anywhere. */
const fragments = fc.constantFrom(
  "FROM a\n",
  "RUN x \\\n",
  "OUTPUT /l\n",
  "# c\n",
  "# escape=`\n",
  "#escape=\\\n",
  "\n",
  "\r\n",
  "\\\n",
  "`\n",
  "\\\\\n",
  " ",
  "\t",
  "<<EOF",
  "<<-EOF",
  "<<'E F'",
  "EOF\n",
  "\tEOF\n",
  "E F\n",
  "<<",
  '"',
  "'",
  "[",
  "]",
  '["a"]',
  "--a=b",
  "--",
  "${",
  "}",
  "$X",
  "ONBUILD ",
  "COPY ",
  "\u00ef\u00bb\u00bf",
  "\u00ff",
  "\u00c2\u00a0",
  "\u0000",
  "ENV a",
  "=",
  "#",
);

/** Text as the parser holds it: one character a byte. */
const anySource = fc.oneof(
  fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

test("the grammars are sound", () => {
  expect(createLineLexer({ skipValidations: false }).lexerDefinitionErrors).toEqual([]);
  // Each throws where a rule is ambiguous or recurs without end.
  expect(new ContainerfileParser({ skipValidations: false })).toBeDefined();
  expect(new OutputParser(createOutputTokens("`"), { skipValidations: false })).toBeDefined();
});

describe("segments", () => {
  test("are what the lines are", () => {
    const source = "# escape=`\n# c\n\nFROM a\nRUN b `\n# c\n\n c\nRUN <<E\nx\nE\n \n";
    expect(kinds(source)).toEqual([
      "directive",
      "comment",
      "blank",
      "instruction",
      "instruction",
      "instruction",
      "blank",
    ]);
  });

  test("cover any text without gap or overlap", () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const { segments } = readContainerfile(source);
        let end = 0;
        for (const segment of segments) {
          expect(segment.start).toBe(end);
          expect(segment.end).toBeGreaterThan(segment.start);
          ({ end } = segment);
        }
        expect(end).toBe(source.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("instructions", () => {
  test("are in segments of their own, and their pieces give back their text", () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const { instructions, segments } = readContainerfile(source);
        const own = segments.filter(({ kind }) => kind === "instruction");
        expect(instructions.length).toBe(own.length);
        for (const [index, { start, end, text, pieces }] of instructions.entries()) {
          expect(start).toBeGreaterThanOrEqual(own[index]?.start ?? Infinity);
          expect(end).toBeLessThanOrEqual(own[index]?.end ?? -1);
          const parts = pieces.map(({ text: from, source: at }, piece) =>
            source.slice(at, at + (pieces[piece + 1]?.text ?? text.length) - from),
          );
          expect(parts.join("")).toBe(text);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("number their lines as the file has them", () => {
    const source = "\nFROM a\n\nRUN b \\\n# c\n\n  d\nRUN <<E\nE\nRUN e \\\n\n\n";
    const lines = readContainerfile(source).instructions.map(({ startLine, endLine }) => [
      startLine,
      endLine,
    ]);
    expect(lines).toEqual([
      [2, 2],
      [4, 7],
      [8, 9],
      [10, 12],
    ]);
  });
});

function codes(source: string): string[] {
  return readContainerfile(source).problems.map(({ code }) => code);
}

describe("the longest line", () => {
  test.each<[string, number, string, string[]]>([
    ["with a newline", 65_535, "\n", []],
    ["with a newline, one byte more", 65_536, "\n", ["line-too-long"]],
    ["at the end of the file", 65_535, "", []],
    ["at the end of the file, one byte more", 65_536, "", ["line-too-long"]],
    ["a carriage return counts", 65_535, "\r\n", ["line-too-long"]],
  ])("%s", (_, length, end, expected) => {
    const start = "FROM a\nRUN ";
    const line = `${start}${"x".repeat(length - "RUN ".length)}`;
    expect(codes(`${line}${end}`)).toEqual(expected);
  });

  test("in a heredoc, too", () => {
    expect(codes(`FROM a\nRUN <<E\n${"x".repeat(65_536)}\nE\n`)).toEqual(["line-too-long"]);
    expect(codes(`FROM a\nRUN x \\\n# ${"x".repeat(65_536)}\ny\n`)).toEqual(["line-too-long"]);
  });
});
