import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listUnseen } from "../test/support/unseen.ts";
import {
  countColumns,
  joinVisible,
  paintText,
  show,
  showJson,
  showLines,
  showText,
} from "./visible.ts";

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.constantFrom("\u001b", "\u009b", "\u202e", "\ud800", "\u2028", "\n", "\r", "\t"),
  ),
});

describe("a text on one line", () => {
  test.each([
    ["plain", "plain"],
    ["ü 日本 é 🎉 ❤️", "ü 日本 é 🎉 ❤️"],
    ["a\u001b[2Jb", "a\\x1b[2Jb"],
    ["\u0000\t\n\r\u007f\u0085\u009b", "\\x00\\x09\\x0a\\x0d\\x7f\\x85\\x9b"],
    ["\u202eabc\u2066\u200b\ufeff\u00ad", "\\u202eabc\\u2066\\u200b\\ufeff\\xad"],
    ["\u2028\u2029", "\\u2028\\u2029"],
    ["\ud800 \udfff", "\\ud800 \\udfff"],
    ["\u{e0041}\u3164", "\\u{e0041}\\u3164"],
    ["\\x1b", "\\x1b"],
  ])("%j is shown as %s", (text, shown) => {
    expect(showText(text)).toBe(shown);
  });

  test("has nothing that acts on a terminal, whatever it was, and is the same a second time", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = showText(text);
        expect(listUnseen(shown)).toEqual([]);
        expect(showText(shown)).toBe(shown);
      }),
      { numRuns: 2000, seed: 9 },
    );
  });
});

test("lines keep their ends and tabs, and a carriage return alone is none", () => {
  expect(showLines("a\tb\r\nc\rd\n\u001bz").visible).toBe("a\tb\r\nc\\x0dd\n\\x1bz");
});

test("a template's own text stays, and what is put into it is escaped once", () => {
  const name = "a\u001b[31m\nb";
  const inner = show`<${name}>`;
  expect(show`\u001b[K${inner}: ${name} ${7}\n`.visible).toBe(
    "\u001b[K<a\\x1b[31m\\x0ab>: a\\x1b[31m\\x0ab 7\n",
  );
  expect(joinVisible([inner, name], "\n").visible).toBe("<a\\x1b[31m\\x0ab>\na\\x1b[31m\\x0ab");
});

test("colours are ours, and are there when asked for alone", () => {
  expect(paintText({ color: true }, "red", "a\u001b[0m").visible).toBe(
    "\u001b[31ma\\x1b[0m\u001b[0m",
  );
  expect(paintText({ color: false }, "red", "a").visible).toBe("a");
});

describe("JSON", () => {
  test("is the same value, with nothing in it that acts on a terminal", () => {
    const json = fc.jsonValue({ noUnicodeString: false, stringUnit: "binary" });
    fc.assert(
      fc.property(fc.oneof(json, fc.dictionary(anyText, anyText)), (value) => {
        const { visible } = showJson(value);
        expect(JSON.parse(visible)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(listUnseen(visible).filter((character) => character !== "\n")).toEqual([]);
      }),
      { numRuns: 1000, seed: 9 },
    );
  });

  test("knows UTF-16 units alone", () => {
    expect(showJson("\u009b\u202e\u{e0041}\ud800").visible).toBe(
      '"\\u009b\\u202e\\udb40\\udc41\\ud800"\n',
    );
  });
});

test.each([
  ["abc", 3],
  ["日本", 4],
  ["e\u0301", 1],
  ["🎉", 2],
  [showText("\u202e"), 6],
])("%j takes %i columns", (text, columns) => {
  expect(countColumns(text)).toBe(columns);
});
