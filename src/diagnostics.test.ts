import { expect, test } from "vitest";

import { type Diagnostic, renderDiagnostic } from "./diagnostics.ts";

/** One character a byte, as the parser holds it. */
function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function locate(source: string, start: number, end: number): Pick<Diagnostic, "span"> {
  const position = (offset: number) => {
    const before = source.slice(0, offset).split("\n");
    return { offset, line: before.length, column: (before.at(-1) ?? "").length + 1 };
  };
  return { span: { start: position(start), end: position(end) } };
}

const finding: Diagnostic = { code: "usage", severity: "error", message: "it is wrong" };

test("without a place there is the message alone", () => {
  expect(renderDiagnostic(finding)).toBe("error[usage]: it is wrong");
  expect(renderDiagnostic({ ...finding, severity: "warning", file: "F", hint: "mend it" })).toBe(
    "F: warning[usage]: it is wrong\n  hint: mend it",
  );
});

const page = (): string => "/docs/usage.md";

test("the page stands below the hint, where one is asked for", () => {
  expect(renderDiagnostic({ ...finding, hint: "mend it" }, { page })).toBe(
    "error[usage]: it is wrong\n  hint: mend it\n  page: /docs/usage.md",
  );
  expect(renderDiagnostic(finding, { page: () => undefined })).toBe("error[usage]: it is wrong");
});

test("a place without its text has no snippet", () => {
  const source = "one\ntwo three\n";
  expect(renderDiagnostic({ ...finding, file: "F", ...locate(source, 8, 13) })).toBe(
    "F:2:5: error[usage]: it is wrong",
  );
});

test.each<[string, string, number, number, string]>([
  ["a word", "one\ntwo three\n", 8, 13, " 2 | two three\n   |     ^^^^^"],
  ["a point", "one", 3, 3, " 1 | one\n   |    ^"],
  ["an empty text", "", 0, 0, " 1 | \n   | ^"],
  ["more than one line", "one two\nthree", 4, 13, " 1 | one two\n   |     ^^^"],
  ["tabs before it", "\ta\tb", 3, 4, " 1 | \ta\tb\n   | \t \t^"],
  ["letters of two bytes", toBytes("ü ö"), 3, 5, " 1 | ü ö\n   |   ^"],
  ["wide letters", toBytes("日本 x"), 7, 8, " 1 | 日本 x\n   |      ^"],
  ["marks that take no column", toBytes("e\u0301 x"), 4, 5, " 1 | e\u0301 x\n   |   ^"],
  ["a carriage return", "one\r\n", 0, 3, " 1 | one\n   | ^^^"],
  ["what acts on a terminal", "a\u001b[2Jb", 5, 6, " 1 | a\\x1b[2Jb\n   |         ^"],
  ["a byte that is no text", "\u00ff x", 2, 3, " 1 | \ufffd x\n   |   ^"],
])("a snippet of %s", (_, source, start, end, snippet) => {
  const rendered = renderDiagnostic({ ...finding, ...locate(source, start, end) }, { source });
  expect(rendered.split("\n").slice(1).join("\n")).toBe(snippet);
});

test("a long line is cut around the place", () => {
  const source = `${"x".repeat(5000)}HERE${"y".repeat(5000)}`;
  const rendered = renderDiagnostic({ ...finding, ...locate(source, 5000, 5004) }, { source });
  const [, text = "", carets = ""] = rendered.split("\n");
  expect(text.length).toBeLessThan(200);
  expect(text.slice(carets.indexOf("^"))).toMatch(/^HEREy/);
  expect(carets).toMatch(/ \^{4}$/);
});

test("the line may come with the finding", () => {
  const excerpt = "two three";
  const { span } = locate("one\ntwo three\n", 8, 13);
  expect(renderDiagnostic({ ...finding, excerpt, ...(span && { span }) })).toContain(
    " 2 | two three\n   |     ^^^^^",
  );
});

test("colours are there when asked for alone", () => {
  expect(renderDiagnostic(finding)).not.toContain("\u001b");
  expect(renderDiagnostic(finding, { color: true })).toBe(
    "\u001b[31merror[usage]\u001b[0m: \u001b[1mit is wrong\u001b[0m",
  );
});
