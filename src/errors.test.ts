import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const union = /export type ErrorCode =(?<members>[\s\S]*?);/.exec(
  readFileSync(new URL("errors.ts", import.meta.url), "utf8"),
)?.groups?.["members"];
const codes = [...(union ?? "").matchAll(/"(?<code>[a-z0-9-]+)"/g)].flatMap(
  (match) => match.groups?.["code"] ?? [],
);
const pages = new URL("../docs/errors/", import.meta.url);

describe("error codes", () => {
  it("are found", () => {
    expect(codes).toContain("step-failed");
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each(codes)("%s has a page that says what to do", (code) => {
    const page = new URL(`${code}.md`, pages);
    expect(existsSync(page)).toBe(true);
    expect(readFileSync(page, "utf8")).toMatch(/^# [a-z0-9-]+\n[\s\S]+\n## What to do\n\n\S/);
  });

  it("have no page too many", () => {
    const named = readdirSync(pages).map((name) => name.replace(/\.md$/, ""));
    expect(named.filter((name) => !codes.includes(name))).toEqual([]);
  });
});
