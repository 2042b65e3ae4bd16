import { expect, test } from "vitest";
import { parseAge, readMaxAge } from "./max-age.ts";
import { readPruneFilters } from "./prune-filters.ts";

const hour = 60 * 60 * 1000;

test.each([
  ["90s", 90_000],
  ["12h", 12 * hour],
  ["1h30m", 1.5 * hour],
  ["7d", 7 * 24 * hour],
  ["4w", 28 * 24 * hour],
  ["0s", 0],
])("the age %s", (text, expected) => {
  expect(parseAge(text, "--older-than")).toBe(expected);
});

test.each(["", "7", "d", "7d!", "-7d", "7 d", "7y", "1234567d", "1h-30m"])(
  "%j is no age",
  (text) => {
    expect(() => parseAge(text, "--older-than")).toThrow("--older-than must be an age");
  },
);

test.each([
  [undefined, 30 * 24 * hour],
  ["", 30 * 24 * hour],
  ["90d", 90 * 24 * hour],
  ["off", undefined],
])("XBUILD_CACHE_MAX_AGE=%s", (text, expected) => {
  expect(readMaxAge({ XBUILD_CACHE_MAX_AGE: text })).toBe(expected);
});

const now = Date.parse("2026-11-20T12:00:00Z");

test.each([
  [["until=24h"], now - 24 * hour],
  [["until=24h", "until=48h"], now - 48 * hour],
  [["until=2026-11-01T00:00:00Z"], Date.parse("2026-11-01T00:00:00Z")],
  [["until=2026-11-01"], Date.parse("2026-11-01")],
  [["until=1700000000"], 1_700_000_000_000],
  [[], undefined],
])("--filter %j", (words, expected) => {
  expect(readPruneFilters(words, now)).toBe(expected);
});
