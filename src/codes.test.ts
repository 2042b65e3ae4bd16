import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { type Code, codes, findPage } from "./codes.ts";

const root = new URL("../", import.meta.url);
const rows = Object.entries(codes);
const isCode = (text: string): text is Code => Object.hasOwn(codes, text);

/** `docs/errors/<area>.md`, but for the lists of all codes. */
const pages = ["docs/errors/", "docs/rules/"].flatMap((directory) =>
  readdirSync(new URL(directory, root))
    .filter((name) => name !== "README.md")
    .map((name) => `${directory}${name}`),
);

interface Section {
  readonly page: string;
  readonly code: string;
  readonly text: string;
}

const sections = pages.flatMap((page): readonly Section[] => {
  const [, ...parts] = readFileSync(new URL(page, root), "utf8").split(/^## /m);
  return parts.map((part) => {
    const [code = "", ...lines] = part.split("\n");
    return { page, code, text: lines.join("\n").trim() };
  });
});

describe("the pages", () => {
  test("have a section for each code, in the table's order, and no other", () => {
    const listed = rows.map(([code]) => (isCode(code) ? findPage(code) : code));
    const found = sections.map(({ page, code }) => `${page}#${code}`);
    expect(found.toSorted()).toEqual(listed.toSorted());
    for (const page of pages) {
      const isHere = (place: string): boolean => place.startsWith(`${page}#`);
      expect(found.filter(isHere)).toEqual(listed.filter(isHere));
    }
  });

  it.each(sections)("$page says how grave $code is", ({ code, text }) => {
    const severity = isCode(code) ? codes[code].severity : undefined;
    const word = severity === "warning" ? "Warning" : "Error";
    const by =
      isCode(code) && codes[code].kind === "finding" ? ", found by `xbuild cache verify`" : "";
    expect(text.startsWith(`*${word}${by}.* `)).toBe(true);
  });

  it.each(sections)("$page says what to do about $code", ({ page, text }) => {
    const advice = page.startsWith("docs/rules/")
      ? /\nInstead of\n\n```(?:dockerfile|sh)\n[^]+?\n```\n\nwrite\n\n```(?:dockerfile|sh)\n[^]+?\n```$/
      : /\n\*\*What to do\.\*\* \S/;
    expect(text).toMatch(advice);
  });
});

describe("links to the pages", () => {
  const documents = readdirSync(new URL("docs/", root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  const places = new Set([
    ...sections.flatMap(({ page, code }) => [page, `${page}#${code}`]),
    "docs/errors/README.md",
    "docs/rules/README.md",
  ]);

  it.each([...documents, "README.md"])("of %s lead somewhere", (document) => {
    const text = readFileSync(new URL(document, root), "utf8");
    const links = Array.from(text.matchAll(/\]\((?<link>[^)\s]+)\)/g), ({ groups }) =>
      new URL(groups?.["link"] ?? "", new URL(document, root)).href.slice(root.href.length),
    );
    const broken = links.filter(
      (link) => /^docs\/(?:errors|rules)\//.test(link) && !places.has(link),
    );
    expect(broken).toEqual([]);
  });
});

test("every code is told by somebody", () => {
  const sources = ["src/", "grammar/"].flatMap((directory) =>
    readdirSync(new URL(directory, root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && name !== "codes.ts")
      .map((name) => readFileSync(new URL(`${directory}${name}`, root), "utf8")),
  );
  const unused = rows.filter(([code]) => !sources.some((text) => text.includes(`"${code}"`)));
  expect(unused.map(([code]) => code)).toEqual([]);
});

test("a rule's area has a page of its own", () => {
  expect(findPage("output-path-root")).toBe("docs/rules/output.md#output-path-root");
  expect(findPage("output-changed")).toBe("docs/errors/output.md#output-changed");
});
