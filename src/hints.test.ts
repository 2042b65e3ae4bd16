import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findHints, type SourceHint } from "../test/support/source-hints.ts";

/** A hint is an imperative in lower case, or begins with a flag or a name; it has no full stop. */
function isInStyle({ start, end }: SourceHint): boolean {
  const begins = start === undefined || /^(?:[a-z`"'-]|[A-Z_]{2,})/.test(start);
  const isStatement = start !== undefined && /^(?:it|its|that|the|there|this)\b/.test(start);
  return begins && !isStatement && (end === undefined || !/(?:^|[^.])\.$/.test(end));
}

function readSources(): readonly string[] {
  return ["../src/", "../grammar/"].flatMap((directory) => {
    const url = new URL(directory, import.meta.url);
    return readdirSync(url, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => readFileSync(new URL(name, url), "utf8"));
  });
}

test("every hint in the source has the one style", () => {
  const hints = findHints(readSources());
  expect(hints.length).toBeGreaterThan(200);
  expect(hints.filter((hint) => !isInStyle(hint))).toEqual([]);
});

describe("what is no hint of that style is found", () => {
  test.each([
    ["a capital", 'refuse({ hint: "Name it" })'],
    ["a full stop", 'const hint = "name it.";'],
    ["a full stop behind a value", "const hint = `name ${it} so.`;"],
    ["a statement", 'const hint = "it has another name";'],
    ["in a branch", 'const x = { hint: a ? "name it" : b ?? "It is so" };'],
    ["in a table", 'const hints = { a: "name it", "b-c": "Name it" };'],
    ["by another name", 'const place = "Name it"; const x = { hint: place };'],
    ["an argument", 'function f(a: string, hint: string) {} f("", "Name it");'],
    ["an argument of a local function", 'const f = (hint?: string): void => {}; f("Name it");'],
  ])("%s", (_, source) => {
    expect(findHints([source]).filter((hint) => !isInStyle(hint))).toHaveLength(1);
  });

  test.each([
    'const hint = "name it";',
    'const hint = "--name says it";',
    'const hint = "XBUILD_STORE names it";',
    "const hint = `${it} is a name`;",
    'const hint = "name it ...";',
    'const message = "It is so.";',
  ])("%s is none", (source) => {
    expect(findHints([source]).filter((hint) => !isInStyle(hint))).toEqual([]);
  });
});
