import { describe, expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { makeResult, type TestLayer } from "../../../test/support/results.ts";
import { countColumns } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { renderResult } from "./made-result.ts";
import type { ResultOptions } from "./result.ts";

const told: ResultOptions = { quiet: false, milliseconds: 1000, layers: "changes", isNamed: false };

function render(
  result: ReturnType<typeof makeResult>,
  options: Partial<ResultOptions> = {},
  io: Partial<CliIo> = {},
): readonly string[] {
  const { visible } = renderResult(result, captureIo(io).io, { ...told, ...options });
  return visible.split("\n");
}

const many = Array.from({ length: 100 }, (_, index): TestLayer => {
  return { name: `package-${index}.0`, status: "equal" };
});

describe("what a person reads of a build", () => {
  test("one package of many changed: its row, and a count", () => {
    const after = [...many.slice(1), { name: "package-0.1", size: 2000 }];
    expect(render(makeResult(after, many))).toEqual([
      "",
      "STATUS      SIZE  LAYER        REPLACES",
      "changed  2.00 kB  package-0.1  1.00 kB  package-0.0",
      "kept     99.0 kB  100 layers (100 equal)".replaceAll("100", "99"),
      "",
      "localhost/app:v2: 100 layers, 101 kB: 1 changed, 99 kept (1.0 s)",
      expect.stringMatching(
        /^ {2}previous: localhost\/app:v1@sha256:[0-9a-f]{64} \(the tag, in the store\)$/,
      ),
      "  download: 2.00 kB for whoever has the previous image",
      expect.stringMatching(/^ {2}sha256:[0-9a-f]{64}$/),
      "",
    ]);
  });

  test("nothing changed: the count alone", () => {
    const lines = render(makeResult(many, many));
    expect(lines.slice(1, 3)).toEqual([
      "STATUS    SIZE  LAYER",
      "kept    100 kB  100 layers (100 equal)",
    ]);
    expect(lines).toContain("localhost/app:v2: 100 layers, 100 kB: 100 kept (1.0 s)");
  });

  test("a layer that is kept no more is removed", () => {
    const lines = render(makeResult(many.slice(1), many));
    expect(lines[2]).toBe("removed  1.00 kB  package-0.0");
    expect(lines).toContain("localhost/app:v2: 99 layers, 99.0 kB: 1 removed, 99 kept (1.0 s)");
  });

  test("of very many rows the largest of each kind, and how to see all", () => {
    const fresh = many.map((one, index) => ({ ...one, status: "new" as const, size: index }));
    const lines = render(makeResult(fresh, undefined));
    expect(lines.filter((line) => line.startsWith("new "))).toHaveLength(21);
    expect(lines).toContain("new        99 B  package-99.0");
    expect(lines).toContain("new     3.16 kB  80 smaller (--layers=all)");
    expect(lines).toContain(
      "  previous: none; --cache-from IMAGE names one whose layers may be kept",
    );
    const all = render(makeResult(fresh, undefined), { layers: "all" });
    expect(all.filter((line) => line.startsWith("new "))).toHaveLength(100);
    const none = render(makeResult(fresh, undefined), { layers: "none", isNamed: true });
    expect(none[1]).toMatch(/^localhost\/app:v2: 100 layers, 4.95 kB: 100 new/);
    expect(none[2]).toBe("  previous: none; nothing that --cache-from names is there yet");
  });

  test("with --layers=all the layers of an image that is up to date, too", () => {
    const result = { ...makeResult(many, many), upToDate: true };
    expect(render(result)).toHaveLength(3);
    expect(render(result, { layers: "all" })).toContain("equal   1.00 kB  package-5.0");
  });

  test("packages that share a layer, what changed among them, and where one has gone", () => {
    const lines = render(
      makeResult([{ name: "a-1 b-2 c-1" }], [{ name: "a-1 b-1" }, { name: "c-1" }]),
    );
    const at = lines.findIndex((line) => line.includes("a-1 b-2 c-1"));
    expect(lines.slice(at + 1, at + 5).map((line) => line.trim())).toEqual([
      "3 packages share it",
      "b-1 -> b-2, new c-1",
      "removed  1.00 kB  c-1",
      "now in a-1 b-2 c-1",
    ]);
    expect(lines).toContain("  shared:   3 packages in 1 layer");
  });

  test("what is large in the layer of what no package owns", () => {
    const largest = [
      { path: "var/cache/apt", size: 5_000_000 },
      { path: "etc", size: 999 },
    ];
    const lines = render(makeResult([{ name: "other", largest }], []));
    expect(lines.filter((line) => line.includes("/var/cache/apt"))).toEqual([
      "                   5.00 MB  /var/cache/apt",
    ]);
    expect(lines.join("\n")).not.toContain("/etc");
    // Of one that proved to be equal it is told where all layers are.
    const same = makeResult([{ name: "other", largest }], [{ name: "other" }]);
    expect(render(same).join("\n")).not.toContain("/var/cache/apt");
    expect(render(same, { layers: "all" }).join("\n")).toContain("5.00 MB  /var/cache/apt");
  });

  test("stages, and what is elsewhere", () => {
    const result = makeResult(many, many);
    const stages = [
      { name: "one", digest: result.digest, upToDate: true, newLayers: 0 },
      { name: "two", digest: result.digest, upToDate: false, newLayers: 2 },
    ];
    const layers = result.layers.map((one) => ({ ...one, verified: false }));
    const text = render({ ...result, stages, layers }).join("\n");
    expect(text).toContain("  stage two: 2 new layers\n  1 stage up to date\n");
    const lot = { name: "lots", digest: result.digest, upToDate: false, newLayers: 2 };
    const lots = Array.from({ length: 5000 }, () => lot);
    const lines = render({ ...result, stages: lots });
    expect(lines.filter((line) => line.includes("stage lots:"))).toHaveLength(20);
    expect(lines).toContain("  and 4980 more stages that were built");
    expect(text).toContain("100 of the kept layers are elsewhere");
  });
});

describe("how wide it is", () => {
  const wide = makeResult(
    [
      { name: long("1.2") },
      { name: "\u8a9e".repeat(70) },
      { name: "a-1 ".repeat(40).trim() },
      { name: "nginx-1.1" },
    ],
    [{ name: long("1.1") }, { name: "nginx-1.0" }, { name: "gone ".repeat(40) }],
  );

  test.each([80, 120, 60])("a terminal of %i columns has whole lines", (columns) => {
    const lines = render(wide, {}, { terminal: true, columns: () => columns });
    const rows = lines.slice(0, lines.indexOf("", 1));
    expect(Math.max(...rows.map(countColumns))).toBeLessThanOrEqual(columns);
    expect(lines.join("\n")).toContain("\u2026");
    // The version is in the end.
    expect(lines.join("\n")).toMatch(/\u2026x*-1\.2 /);
    expect(lines.join("\n")).toContain("  nginx-1.1 ");
    const previous = lines.find((line) => line.includes("previous:")) ?? "";
    expect(previous).toContain(columns < 80 ? "localhost/ap" : "localhost/app:v1@sha256:");
    expect(countColumns(previous)).toBeLessThanOrEqual(Math.max(columns, 80));
  });

  test("elsewhere names are whole", () => {
    const text = render(wide, {}, { columns: () => 80 }).join("\n");
    expect(text).toContain(long("1.1"));
    expect(text).toContain(long("1.2"));
    expect(text).not.toContain("\u2026");
  });
});

function long(version: string): string {
  return `/nix/store/${"x".repeat(90)}-${version}`;
}
