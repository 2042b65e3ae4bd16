import { expect, test } from "vitest";
import { parsePlatform, pickPlatform, renderPlatform, type WantedPlatform } from "./platforms.ts";

function parse(text: string): WantedPlatform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

// Wanted, what is offered, and what is chosen.
const choices: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
  ["linux/amd64", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"], "linux/amd64"],
  ["linux/amd64", ["linux/amd64/v3", "linux/amd64/v2"], "linux/amd64/v2"],
  ["linux/amd64", ["linux/amd64/v1"], "linux/amd64/v1"],
  ["linux/amd64/v1", ["linux/amd64/v2"], undefined],
  ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
  ["linux/amd64/v3", ["linux/amd64/v4"], undefined],
  ["linux/amd64", ["linux/386", "windows/amd64"], undefined],
  ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], "linux/arm/v6"],
  ["linux/arm", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm", ["linux/arm/v8"], "linux/arm/v8"],
  ["linux/arm/v6", ["linux/arm"], undefined],
  ["linux/arm/v8", ["linux/arm/v7", "linux/arm/v6"], "linux/arm/v7"],
  ["linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"],
  ["linux/arm64/v8", ["linux/arm64"], "linux/arm64"],
  ["linux/arm64/v8", ["linux/arm/v8"], undefined],
  ["linux/aarch64", ["linux/arm64"], "linux/arm64"],
  ["linux/x86_64", ["linux/amd64"], "linux/amd64"],
  ["linux/riscv64", ["linux/riscv64"], "linux/riscv64"],
  ["linux/s390x", ["linux/amd64"], undefined],
];

test.each(choices)("%s of %j is %s", (wanted, offered, chosen) => {
  const entries = offered.map((one) => ({ platform: parse(one) }));
  const entry = pickPlatform(entries, parse(wanted));
  expect(entry && renderPlatform(entry.platform)).toBe(chosen);
});

test("an entry that says no platform is none of ours", () => {
  expect(pickPlatform([{}], parse("linux/amd64"))).toBeUndefined();
});

// What users write, and what it is on a linux/arm64.
const texts: readonly (readonly [string, string | undefined])[] = [
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/x86-64", "linux/amd64"],
  ["Linux/AMD64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm64/v9", "linux/arm64/v9"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/armel", "linux/arm/v6"],
  ["linux/arm/6", "linux/arm/v6"],
  ["macos/arm64", "darwin/arm64"],
  ["linux", "linux/arm64"],
  ["windows", "windows/arm64"],
  ["s390x", "linux/s390x"],
  ["local", "linux/arm64"],
  ["linux/amd46", undefined],
  ["lunix/amd64", undefined],
  ["linux/", undefined],
  ["", undefined],
  ["/amd64", undefined],
  ["linux/arm/v7/x", undefined],
  ["linux/amd64;x", undefined],
];

test.each(texts)("%j is %s", (text, expected) => {
  const platform = parsePlatform(text, parse("linux/arm64"));
  expect(platform && renderPlatform(platform)).toBe(expected);
});
