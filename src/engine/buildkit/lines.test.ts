import { describe, expect, it } from "vitest";
import { createLineSplitter } from "./lines.ts";

function split(chunks: readonly string[], maxLength?: number): readonly string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line), maxLength);
  for (const chunk of chunks) splitter.write(Buffer.from(chunk, "latin1"));
  splitter.end();
  return lines;
}

describe("lines", () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [["a\nb\n"], ["a", "b"]],
    [
      ["a", "b\nc", "\n", "\nd"],
      ["ab", "c", "", "d"],
    ],
    [
      ["a\r\n", "b\r", "\nc\rd\n"],
      ["a", "b", "c\rd"],
    ],
    [[""], []],
    [["\n"], [""]],
    [["\xc3", "\xa9\n"], ["é"]],
  ])("%j", (chunks, expected) => {
    expect(split(chunks)).toEqual(expected);
  });

  it("that are too long are cut, and those behind them come whole", () => {
    expect(split(["abc", "def", "ghi\njkl\n", "mnopqr"], 4)).toEqual(["abcd", "jkl", "mnop"]);
    expect(split(["abcd\nefgh\n"], 4)).toEqual(["abcd", "efgh"]);
  });
});
