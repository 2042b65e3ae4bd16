import { expect, test } from "vitest";
import { renderTable } from "./table.ts";

const columns = [{ title: "NAME" }, { title: "SIZE", right: true }, { title: "NOTE" }];
const rows = [
  ["a", "1 kB", "x"],
  [{ text: "longer", style: "green" }, "10.5 MB", ""],
  ["\u001b[2J", "", ""],
] as const;

test("columns are as wide as their widest cell, and nothing stands behind the last", () => {
  const lines = renderTable({ color: false }, columns, rows).visible.split("\n");
  expect(lines).toEqual([
    "NAME        SIZE  NOTE",
    "a           1 kB  x",
    "longer   10.5 MB",
    "\\x1b[2J",
    "",
  ]);
});

test("a colour changes no width", () => {
  const { visible } = renderTable({ color: true }, columns, rows);
  expect(visible).toContain("\u001b[1mNAME        SIZE  NOTE\u001b[0m\n");
  expect(visible).toContain("\u001b[32mlonger \u001b[0m  10.5 MB\n");
});
