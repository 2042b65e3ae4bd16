import { describe, expect, it } from "vitest";
import { assertLocal } from "./assert-local.ts";

const podman = (...options: readonly string[]): { name: "podman"; options: readonly string[] } => ({
  name: "podman",
  options,
});

describe("a podman that asks a service", () => {
  it.each([
    "--remote",
    "--remote=true",
    "--url=ssh://host/run/podman.sock",
    "--connection=m",
    "-r",
  ])("is refused with %s", (option) => {
    expect(() => assertLocal(podman(option), {})).toThrow(`podman asks a service here (${option})`);
  });

  it.each(["CONTAINER_HOST", "CONTAINER_CONNECTION"])("is refused with %s", (name) => {
    expect(() => assertLocal(podman(), { [name]: "x" })).toThrow(
      `podman asks a service here (${name})`,
    );
  });

  it("is taken where it does not, as buildah is always", () => {
    const buildah = { name: "buildah", options: ["--remote"] } as const;
    expect(() => {
      assertLocal(podman("--root=/r", "--remote=false"), { CONTAINER_HOST: "" });
      assertLocal(buildah, { CONTAINER_HOST: "x" });
    }).not.toThrow();
  });
});
