import { describe, expect, test } from "vitest";
import { listNameKeys, nameStem, splitPackages } from "./layer-names.ts";

describe("keys of a name without its version", () => {
  test.each([
    ["bash-5.2.15-2+b7", "bash-5.2.21-2"],
    ["libc6:i386-2.36-9", "libc6:i386-2.37-1"],
    ["gcc-12-base-12.2.0-14", "gcc-13-base-13.1.0-2"],
    ["musl-1.2.4-r2", "musl-1.2.5-r0"],
    ["bash-5.2.15-3.fc38", "bash-5.2.26-1.fc40"],
    [`/nix/store/${"a".repeat(32)}-glibc-2.37-8`, `/nix/store/${"b".repeat(32)}-glibc-2.38-1`],
    [`/nix/store/${"a".repeat(32)}-source`, `/nix/store/${"b".repeat(32)}-source`],
    ["name@1.2", "name@1.3"],
    ["@scope/pkg@1.2.0", "@scope/pkg@2.0.0"],
    ["@scope/pkg-1.0.0", "@scope/pkg-1.0.1"],
    ["name@latest", "name@1.0"],
    ["app-v1.2", "app-v1.3"],
    ["tool_1.2_amd64", "tool_1.3_amd64"],
    ["app-deadbee", "app-0123456789abcdef"],
    ["ADD file:deadbeef in /", "ADD file:00000000 in /"],
  ])("%s and %s have one in common", (one, other) => {
    const keys = new Set(listNameKeys(one));
    expect(listNameKeys(other).filter((key) => keys.has(key))).not.toEqual([]);
  });

  test.each([
    ["openssl-3.0.8", "openssl-3.0.8-dev"],
    ["gcc-12-base-12.2.0-14", "gcc-12-12.2.0-14"],
    ["/opt/app-1.2/bin", "/opt/app-1.2/lib"],
    ["libfoo2-1.0", "libfoo-1.0"],
    ["one", "two"],
    ["x", "x"],
  ])("%s and %s have none", (one, other) => {
    const keys = new Set(listNameKeys(one));
    expect(listNameKeys(other).filter((key) => keys.has(key))).toEqual([]);
  });

  test("a line of a file that is longer than any name has none", () => {
    expect(listNameKeys(`RUN x-1 ${"y".repeat(600)}`)).toEqual([]);
  });
});

test.each([
  ["bash-5.2.15-2+b7", "bash"],
  ["gcc-12-base-12.2.0-14", "gcc-12-base"],
  ["musl-1.2.4-r2", "musl"],
  ["@scope/pkg@1.2", "@scope/pkg"],
  ["name", "name"],
  ["1", "1"],
])("before the version of %s stands %s", (name, stem) => {
  expect(nameStem(name)).toBe(stem);
});

test.each([
  ["a-1 b-2", ["a-1", "b-2"]],
  ["a-1 dpkg-database python-cache other", ["a-1", "dpkg-database", "python-cache", "other"]],
  ["a-1 /opt/models/a b-2", ["a-1", "/opt/models/a", "b-2"]],
  ["models a-1", ["models", "a-1"]],
  ["group file", undefined],
  ["/bin/sh -c apt-get install a-1 b-2 c-3 d-4", undefined],
  ["a-1 && b-2", undefined],
  ["RUN apt-get install a-1", undefined],
  ["a-1", undefined],
  ["a-1  b-2", undefined],
])("the packages of %j are %j", (name, packages) => {
  expect(splitPackages(name)).toEqual(packages);
});
