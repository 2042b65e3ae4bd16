import { expect, test } from "vitest";
import { findDockerfileFrontend, ownFrontend } from "./dockerfile-frontend.ts";
import { listPrefixed, readOptions } from "./options.ts";
import { listCacheImports } from "./previous.ts";
import { readLimits } from "./settings.ts";

const none = { given: new Map<string, string>(), session: "", buildPlatform: "linux/amd64" };
const given = (options: Readonly<Record<string, string>>) => ({
  ...none,
  given: new Map(Object.entries(options)),
});

test("options come as variables, in any order, with = in their values", () => {
  const options = readOptions({
    BUILDKIT_FRONTEND_OPT_0: "build-arg:A=b=c",
    BUILDKIT_FRONTEND_OPT_11: "target=t",
    BUILDKIT_FRONTEND_OPT_2: "no-cache=",
    BUILDKIT_SESSION_ID: "s",
    BUILDKIT_WORKERS: JSON.stringify([
      { ID: "w", Platforms: [{ architecture: "arm", os: "linux", variant: "v7" }] },
    ]),
    OTHER: "x=y",
  });
  expect(options).toEqual({
    given: new Map([
      ["build-arg:A", "b=c"],
      ["target", "t"],
      ["no-cache", ""],
    ]),
    session: "s",
    buildPlatform: "linux/arm/v7",
  });
  expect(listPrefixed(options, "build-arg:")).toEqual(new Map([["A", "b=c"]]));
});

test("caches, as clients of today and of before name them", () => {
  const imports = [
    { Type: "registry", Attrs: { ref: "a" } },
    { Type: "local", Attrs: null },
  ];
  const options = given({ "cache-imports": JSON.stringify(imports), "cache-from": "b,c" });
  expect(listCacheImports(options)).toEqual([
    { type: "registry", attrs: { ref: "a" } },
    { type: "local", attrs: {} },
    { type: "registry", attrs: { ref: "b" } },
    { type: "registry", attrs: { ref: "c" } },
  ]);
});

test("limits by build arguments", () => {
  expect(readLimits(none)).toEqual({
    maxLayers: 127,
    maxLayerSize: 10 * 1024 ** 3,
    allowDevices: false,
    epoch: undefined,
  });
  const options = given({
    "build-arg:XBUILD_MAX_LAYERS": "300",
    "build-arg:XBUILD_ALLOW_DEVICES": "1",
    "build-arg:SOURCE_DATE_EPOCH": "1600000000",
  });
  expect(readLimits(options)).toMatchObject({
    maxLayers: 300,
    allowDevices: true,
    epoch: 1600000000,
  });
  expect(() => readLimits(given({ "build-arg:XBUILD_MAX_LAYERS": "many" }))).toThrow("no number");
});

test.each([
  ["none", "FROM a\n", undefined],
  ["one", "# syntax=x\n# dockerfile=docker/dockerfile:1\nFROM a\n", "docker/dockerfile:1"],
  ["with other blanks and letters", "#Dockerfile = a:b \nFROM a\n", "a:b"],
  ["behind the head", "FROM a\n# dockerfile=b\n", undefined],
  ["behind a comment", "# a comment\n# dockerfile=b\nFROM a\n", undefined],
  ["the first of two", "# dockerfile=a\n# dockerfile=b\nFROM a\n", "a"],
])("the frontend for ordinary files: %s", (_, text, image) => {
  const found = findDockerfileFrontend(text, none);
  expect(found.options.get("source")).toBe(image);
  expect(found === ownFrontend).toBe(image === undefined);
  // Whom it has asked asks nobody.
  expect(findDockerfileFrontend(text, { given: found.options })).toBe(ownFrontend);
});
