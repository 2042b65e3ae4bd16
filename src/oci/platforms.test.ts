import { expect, test } from "vitest";
import { pickPlatform, renderPlatform, type WantedPlatform } from "./platforms.ts";

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
