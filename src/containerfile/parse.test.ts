import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Containerfile, ResolveOptions } from "./model.ts";
import { parseContainerfile } from "./parse.ts";
import { checkContainerfile } from "./rules.ts";
import { resolveStages } from "./stages.ts";
import { decodeText, encodeText } from "./text.ts";

function parse(text: string): Containerfile {
  return parseContainerfile(Buffer.from(text, "latin1"), "F");
}

const options: ResolveOptions = {
  buildArgs: new Map(),
  buildContexts: new Set(),
  targetPlatform: "linux/amd64",
  buildPlatform: "linux/amd64",
};

describe("text", () => {
  test("goes from text to bytes and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decodeText(encodeText(text))).toBe(text);
      }),
    );
  });

  test.each<[string, string]>([
    ["a", "a"],
    ["\u00c3\u00bc", "ü"],
    ["\u00ff\u00fe", "\ufffd\ufffd"],
    ["\u00e2\u0080x", "\ufffd\ufffdx"],
    ["\u00ed\u00a0\u0080", "\ufffd\ufffd\ufffd"],
    ["\u00ef\u00bb\u00bfa", "\ufeffa"],
    ["\u00f0\u009f\u0098\u0080\u00ff", "😀\ufffd"],
  ])("%j reads %j", (source, text) => {
    expect(decodeText(source)).toBe(text);
  });

  test("bytes come through unchanged", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { source } = parseContainerfile(bytes, "F");
        expect(Buffer.from(source, "latin1")).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe("stages", () => {
  test("are split at FROM, with names in lower case", () => {
    const { preamble, stages } = parse("ARG A\nFROM x AS Build\nRUN a\nfrom y\nOUTPUT /l\nRUN b\n");
    expect(preamble.map(({ keyword }) => keyword)).toEqual(["ARG"]);
    expect(stages.map(({ name, index }) => [index, name])).toEqual([
      [0, "build"],
      [1, undefined],
    ]);
    expect(stages.map(({ instructions }) => instructions.map(({ keyword }) => keyword))).toEqual([
      ["RUN"],
      ["OUTPUT", "RUN"],
    ]);
    expect(stages.map(({ output }) => output?.args)).toEqual([undefined, "/l"]);
  });

  test("without FROM there is none", () => {
    expect(parse("RUN a\n")).toMatchObject({ stages: [], preamble: [{ keyword: "RUN" }] });
  });
});

describe("spans", () => {
  const text = 'FROM a\n\n  COPY --chown="1 2" \\\n    # who\n  --chm\\\nod=7 \\\n  x y  \r\nRUN z';

  test("of an instruction reach from its first byte to its last line's end", () => {
    const [, copy, run] = parse(text).instructions;
    const { start, end } = copy?.span ?? {};
    expect(text.slice(start?.offset, end?.offset)).toMatch(/^COPY [^]*x y {2}$/);
    expect([start?.line, start?.column, end?.line, copy?.endLine]).toEqual([3, 3, 7, 7]);
    expect(run?.span).toMatchObject({
      start: { line: 8, column: 1 },
      end: { offset: text.length },
    });
  });

  test("of a flag hold its quotes, and the lines that it goes over", () => {
    const flags = parse(text).instructions[1]?.flags ?? [];
    expect(flags.map(({ name, value }) => [name, value])).toEqual([
      ["chown", "1 2"],
      ["chmod", "7"],
    ]);
    const places = flags.map(({ span }) => text.slice(span.start.offset, span.end.offset));
    expect(places).toEqual(['--chown="1 2"', "--chm\\\nod=7"]);
  });

  test("columns count bytes", () => {
    const source = encodeText("FROM a\nENV ü=1 b\n");
    const [diagnostic] = parse(source).diagnostics;
    expect(diagnostic?.span).toMatchObject({ start: { column: 5 }, end: { column: 11 } });
  });
});

const lines = fc.constantFrom(
  "RUN echo OUTPUT /no\n",
  "RUN a \\\n  # OUTPUT /no\n  OUTPUT /no\n",
  "RUN <<EOF\nOUTPUT /no\nEOF\n",
  'CMD ["OUTPUT", "/no"]\n',
  "# OUTPUT /no\n",
  "\n",
  "LABEL a=b \\\n\n  c=d\n",
  "COPY <<A <<B /x\nOUTPUT /no\nA\nB\n",
  "\tUSER x\r\n",
  "RUN it's <<EOF\n",
  "\\\n RUN \u00ff\n",
);
const someLines = fc.array(lines, { maxLength: 8 }).map((all) => all.join(""));

describe("any text", () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc
      .array(
        fc.oneof(
          lines,
          fc.constantFrom(
            "FROM a AS b\n",
            "FROM b\n",
            "COPY --from=b x y\n",
            "COPY --from=1 x y\n",
            "OUTPUT --from=b --x /l\n",
            "OUTPUT ${A:-",
            "ARG A=$B\n",
            "ENV A=${A}x B=\n",
            "ONBUILD OUTPUT /l\n",
            "\\\n",
            "<<EOF",
            '"',
            "\n",
          ),
        ),
      )
      .map((parts) => parts.join("")),
  );

  test("is parsed, resolved and checked, and findings are in order and in the file", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const containerfile = parse(text);
        const findings = checkContainerfile(containerfile, resolveStages(containerfile, options));
        const offsets = findings.map(({ span }) => span?.start.offset ?? 0);
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
        for (const { span } of findings) {
          expect(span?.end.offset ?? 0).toBeLessThanOrEqual(text.length);
          expect(span?.end.offset ?? 0).toBeGreaterThanOrEqual(span?.start.offset ?? 0);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe("an OUTPUT", () => {
  test("is never lost, invented or changed by what stands elsewhere", () => {
    fc.assert(
      fc.property(someLines, someLines, (before, after) => {
        const text = `FROM scratch\n${before}OUTPUT --reuse=exact /layers\n${after}`;
        const containerfile = parse(text);
        const outputs = containerfile.instructions.filter(({ keyword }) => keyword === "OUTPUT");
        expect(outputs).toHaveLength(1);
        const [stage] = resolveStages(containerfile, options).stages;
        expect(stage?.output).toMatchObject({ path: "/layers", reuse: "exact" });
        const { start, end } = outputs[0]?.span ?? {};
        expect(text.slice(start?.offset, end?.offset)).toBe("OUTPUT --reuse=exact /layers");
      }),
      { numRuns: 1000 },
    );
  });
});

/** Shapes that a careless pattern or a copy a step would take minutes for; the runner's limit ends those. */
const shapes: readonly (readonly [string, (times: number) => string])[] = [
  ["blank lines", (n) => "\n".repeat(n)],
  ["comments", (n) => "#\n".repeat(n)],
  ["spaces in a directive", (n) => `#escape=\`${" ".repeat(n)}x\nFROM a`],
  ["spaces in a heredoc's word", (n) => `FROM a\nRUN <<${" ".repeat(n)}<`],
  ["heredoc marks", (n) => `FROM a\nRUN ${"<<a ".repeat(n)}`],
  ["nested ONBUILDs", (n) => `FROM a\n${"ONBUILD ".repeat(n)}OUTPUT /x`],
  ["continuations", (n) => `FROM a\nRUN ${"a \\\n".repeat(n)}`],
  ["braces", (n) => `FROM a\nENV A=${"${A:-".repeat(n)}`],
  ["quotes", (n) => `FROM a\nLABEL A=${'"'.repeat(n)}`],
  ["mounts", (n) => `FROM a\nRUN --mount=${',"'.repeat(n)} x`],
  ["brackets", (n) => `FROM a\nRUN ${"[".repeat(n)}`],
  ["bytes that are no text", (n) => `FROM a\nENV A=${"\u00ff".repeat(n)}`],
  ["stages of one name", (n) => "FROM a AS a\n".repeat(n)],
  ["OUTPUTs", (n) => `FROM a\n${"OUTPUT /x\n".repeat(n)}`],
  ["flags of OUTPUT", (n) => `FROM a\nOUTPUT ${"--from=a ".repeat(n)}/x`],
  [
    "variables that double",
    () =>
      `FROM a\n${Array.from({ length: 60 }, (_, i) => `ENV V${i + 1}=$V${i}$V${i}x\n`).join("")}`,
  ],
];

test.each(shapes)("thirty thousand %s are read", (_, create) => {
  const containerfile = parse(create(30_000));
  const graph = resolveStages(containerfile, options);
  expect(checkContainerfile(containerfile, graph).length).toBeGreaterThan(0);
});
