import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Instruction } from "../model.ts";
import { parseContainerfile } from "../parse.ts";
import { decodeText } from "../text.ts";
import { listWords } from "../words.ts";
import { viewInstruction } from "./view.ts";

function view(text: string) {
  const { instructions, escape } = parseContainerfile(Buffer.from(text), "F");
  const instruction = instructions.at(-1);
  return instruction && viewInstruction(instruction, escape);
}

const textOf = (word: { readonly text: string } | undefined) => word?.text;

describe("what it has", () => {
  test.each<[string, string | undefined, string | undefined]>([
    ["FROM a:1", "a:1", undefined],
    ["from --platform=linux/arm64 host:5000/a@sha256:0 as B", "host:5000/a@sha256:0", "B"],
    ["FROM \\\n# note\n  a \\\n  AS b", "a", "b"],
    ["FROM ${A:-a} AS b", "${A:-a}", "b"],
    ["# escape=`\nFROM a `\nAS b", "a", "b"],
    ["FROM", undefined, undefined],
  ])("%j: image and name", (text, image, name) => {
    const from = view(text);
    expect(from?.kind === "from" && [textOf(from.image), textOf(from.name)]).toEqual([image, name]);
  });

  test.each<[string, string[], string]>([
    ["COPY --from=b --chown=1:1 a b /c", ["a", "b"], "/c"],
    ["ADD https://x.example/a /b", ["https://x.example/a"], "/b"],
    ['COPY ["a b", "c"]', ['"a b"'], '"c"'],
    ["COPY <<EOF /x\nhi there\nEOF", ["<<EOF"], "/x"],
    ["COPY ü é", ["ü"], "é"],
  ])("%j: sources and destination", (text, sources, destination) => {
    const copy = view(text);
    expect(copy?.kind === "copy" && copy.sources.map(textOf)).toEqual(sources);
    expect(copy?.kind === "copy" && textOf(copy.destination)).toBe(destination);
  });

  test.each<[string, string[]]>([
    ["ENV A=1 B=\"x y\" C='z' D=a\\ b", ["A=1", 'B="x y"', "C='z'", "D=a\\ b"]],
    ["ENV A b  c", ["A b  c"]],
    ["ENV A=1 \\\n  # note\n  B=2", ["A=1", "B=2"]],
    ["LABEL ü=é b=", ["ü=é", "b="]],
    ["ARG A B=2", ["A", "B=2"]],
  ])("%j: pairs", (text, pairs) => {
    const seen = view(text);
    expect(seen?.kind).toBe("pairs");
    expect(seen?.words.map(textOf)).toEqual(pairs);
  });

  test.each<[string, string[]]>([
    ["USER a:b", ["a:b"]],
    ["WORKDIR /a", ["/a"]],
    ["EXPOSE 80 443/udp", ["80", "443/udp"]],
    ['SHELL ["a", "-c"]', ['"a"', '"-c"']],
    ["HEALTHCHECK --interval=5s CMD a b", ["CMD", "a", "b"]],
    ["STOPSIGNAL 9", ["9"]],
    ["VOLUME /a /b", ["/a", "/b"]],
    ['ONBUILD RUN "a b"', ["RUN", '"a', 'b"']],
  ])("%j: words", (text, words) => {
    expect(view(text)?.words.map(textOf)).toEqual(words);
  });
});

describe("there is none", () => {
  test.each([
    ["the words are others than the grammar's", 'COPY "a b" c'],
    ["the library sees no end of a word", "WORKDIR a\\ b"],
    ["JSON holds other things", 'CMD ["a", 1]'],
    ["the instruction is very long", `ENV A=${"a".repeat(5000)}`],
  ])("where %s", (_, text) => {
    expect(view(text)).toBeUndefined();
  });
});

test("whatever the text, it does not throw, and its words are the grammar's, where they stand", () => {
  const keyword = fc.constantFrom(
    "FROM",
    "COPY",
    "ADD",
    "ENV",
    "LABEL",
    "ARG",
    "RUN",
    "ONBUILD",
    "HEALTHCHECK",
    "VOLUME",
    "NOPE",
  );
  const parts = fc.constantFrom(
    ..."a b|=|\"|'|\\|`| |\t|\r|[|]|,|${|}|$|#|<<|--x|\u00fc|\u00a0|\\\n|`\n|\n# n\n|AS".split("|"),
  );
  fc.assert(
    fc.property(keyword, fc.array(parts, { maxLength: 12 }), (name, list) => {
      const source = `${name} ${list.join("")}`;
      const { instructions, escape } = parseContainerfile(Buffer.from(source, "latin1"), "F");
      for (const instruction of instructions) {
        expect(findFault(instruction, escape)).toBeUndefined();
      }
    }),
    { numRuns: 3000 },
  );
});

/** The first word that is not where it says; all of them where they are not the grammar's. */
function findFault(instruction: Instruction, escape: "\\" | "`"): unknown {
  const words = viewInstruction(instruction, escape)?.words ?? [];
  const expected = listWords(instruction, escape);
  if (words.length > 0 && words.length !== expected.length) return words;
  let last = 0;
  return words.find(({ text, start, end }, index) => {
    const isThere = start >= last && decodeText(instruction.text.slice(start, end)) === text;
    last = end;
    const value: unknown = instruction.json === undefined ? text : JSON.parse(text);
    return !isThere || value !== expected[index];
  });
}
