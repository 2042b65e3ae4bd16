import { expect, test } from "vitest";
import { readEngineName } from "./engine-name.ts";

test.each([
  [undefined, {}, undefined],
  [undefined, { XBUILD_ENGINE: "" }, undefined],
  [undefined, { XBUILD_ENGINE: "podman" }, "podman"],
  ["buildah", { XBUILD_ENGINE: "podman" }, "buildah"],
  ["buildah", { XBUILD_ENGINE: "docker" }, "buildah"],
] as const)("--engine %s with %o is %s", (given, env, expected) => {
  expect(readEngineName(given, env)).toBe(expected);
});

test.each([
  ["docker", { XBUILD_ENGINE: "podman" }, "--engine cannot be docker"],
  [undefined, { XBUILD_ENGINE: "docker" }, "XBUILD_ENGINE cannot be docker"],
])("--engine %s with %o is refused", (given, env, message) => {
  expect(() => readEngineName(given, env)).toThrow(
    expect.objectContaining({ code: "usage", message, hint: "use buildah, podman or buildkit" }),
  );
});
