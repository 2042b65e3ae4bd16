import { describe, expect, test } from "vitest";
import { makeResult, type TestLayer } from "../../../test/support/results.ts";
import { joinMarkdown, renderMarkdown } from "./markdown.ts";
import { describeReport } from "./report-document.ts";
import { reportSchema } from "./report-schema.ts";

const kept: TestLayer = { name: "kept-1", status: "kept" };
const before = [kept, { name: "nginx-1" }, { name: "wget-1" }];
const after = [kept, { name: "nginx-2", size: 2_000_000 }, { name: "curl-1" }];

test("a table of what changed, the rest folded", () => {
  const text = renderMarkdown(makeResult(after, before));
  expect(text).toMatch(/^### `localhost\/app:v2`\n/);
  expect(text).toContain(
    "3 layers, 2.00 MB: 1 changed, 1 new, 1 removed, 1 kept. Download: **2.00 MB**",
  );
  const rows = text.split("\n").filter((line) => line.startsWith("| "));
  expect(rows).toEqual([
    "| | Layer | Size | Replaces |",
    "| changed | `nginx-2` | 2.00 MB | `1.00 kB  nginx-1` |",
    "| new | `curl-1` | 1.00 kB |  |",
    "| removed | `wget-1` | 1.00 kB |  |",
    "| | Layer | Size |",
    "| kept | `kept-1` | 1.00 kB |",
  ]);
  expect(text).toContain("<details><summary>1 layer as before (1.00 kB): 1 kept</summary>\n\n| |");
});

test("a first build, and one with nothing to do", () => {
  const first = makeResult([{ name: "a-1" }], undefined);
  expect(renderMarkdown(first)).toContain("there was no previous image");
  expect(renderMarkdown({ ...first, upToDate: true })).toContain("Up to date: 1 layer.");
});

describe("what others named", () => {
  const names = [
    "a | b | c",
    "`a` | <img src=x onerror=alert(1)>",
    "\\`|\\|`",
    "</details><script>alert(1)</script>",
    "[link](https://evil.example) ![image](https://evil.example/x.png)",
    "@user #1 www.evil.example https://evil.example a@evil.example",
    "line\n\n# heading\n| x | y |",
    "``` `` `",
    " ",
    "",
    "\u202e\u001b[2J",
    "<!-- -->",
    "x".repeat(5000),
  ];

  const plain = makeResult(
    [{ name: "p-2" }, { name: "fresh" }, { ...kept, name: "stays" }, { name: "a-1 b-2" }],
    [{ name: "p-1" }, { name: "gone" }, { ...kept, name: "stays" }, { name: "a-1 b-1" }],
  );
  test.each(names)("%j stays in its code span", (name) => {
    const known = ["p-1", "p-2", "fresh", "gone", "stays", "b-1", "b-2"];
    const text = known.reduce(
      (json, one) => json.replaceAll(`"${one}"`, () => JSON.stringify(name)),
      JSON.stringify({ ...plain, names: ["fresh"] }),
    );
    expect(text).not.toContain('"gone"');
    expect(outside(renderMarkdown(JSON.parse(text)))).toBe(outside(renderMarkdown(plain)));
  });

  test("targets of several builds have theirs in spans, too", () => {
    expect(
      joinMarkdown([
        ["a|`b", "text\n"],
        ["c", "more\n"],
      ]),
    ).toBe("## `a\\x7c\\x60b`\n\ntext\n\n## `c`\n\nmore\n");
  });
});

test("the report in JSON is what its schema says", () => {
  const largest = [{ path: "var", size: 5 }];
  const result = makeResult(
    [...after, { name: "a-1 b-2" }, { name: "other", largest }],
    [...before, { name: "a-1 b-1" }, { name: "b-1" }],
  );
  const stages = [{ name: "s", digest: result.digest, upToDate: false, newLayers: 1 }];
  const report = describeReport({ ...result, stages });
  const index = { ...result, platforms: [result, { ...result, upToDate: true }] };
  for (const one of [report, describeReport(index), { app: report, web: report }])
    expect(reportSchema.parse(one)).toEqual(one);
  expect(() => reportSchema.parse({ ...report, digest: "x" })).toThrow("digest");
});

/** What is left without the spans is ours: as many lines, cells and tags as with names that do nothing. */
function outside(text: string): string {
  return text.replaceAll(/`[^`\n]*`/g, "@").replaceAll("(no name)", "@");
}
