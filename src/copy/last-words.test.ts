import { expect, test } from "vitest";
import { createCopyError } from "./failures.ts";
import { createWords } from "./last-words.ts";

function hear(...texts: readonly string[]): string {
  const words = createWords();
  for (const text of texts) words.add(text);
  return words.last();
}

const warning = 'time="2026-01-01T00:00:00Z" level=warning msg="odd"\n';
const fatal = 'time="2026-01-01T00:00:01Z" level=fatal msg="reading \\"x\\":\\n\\tEOF"\n';

test.each([
  ["nothing", [""], ""],
  ["a line of its own form", ["panic: no\n\n"], "panic: no"],
  ["the fatal line, without its framing", [warning, fatal], 'reading "x": \tEOF'.replace("\t", "")],
  ["the fatal line, whatever comes after", [fatal, warning], 'reading "x": EOF'],
  ["a line in pieces", [warning + fatal.slice(0, 40), fatal.slice(40)], 'reading "x": EOF'],
  ["the last line where none is fatal", ["one\n", "two"], "two"],
])("%s", (_, texts, expected) => {
  expect(hear(...texts)).toBe(expected);
});

test("of a long line the ends are held, and of many lines one", () => {
  const long = `level=fatal msg="reading manifest: ${"x".repeat(1_000_000)} the end"\n`;
  const words = hear(warning.repeat(100_000), long.slice(0, 500_000), long.slice(500_000));
  expect(words.length).toBeLessThan(17_000);
  expect(words).toMatch(/^reading manifest: x+ \.\.\. x+ the end$/);
});

test("an error says what they are", () => {
  expect(createCopyError("read docker://r/x", hear(warning, fatal))).toMatchObject({
    code: "copy-failed",
    message: 'cannot read docker://r/x: reading "x": EOF',
  });
});
