import { expect, it } from "vitest";
import { describeEngineConfig } from "./engine-config.ts";

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** As buildah writes it in Docker's format. */
const engineConfig = {
  Hostname: "a340e950307b",
  Domainname: "",
  User: "1:1",
  AttachStdin: false,
  ExposedPorts: { "80/tcp": {} },
  Env: [path, "A=b"],
  Cmd: ["/bin/sh"],
  Image: "",
  Volumes: { "/vol": {} },
  WorkingDir: "/tmp",
  Entrypoint: [],
  OnBuild: ["RUN true"],
  Labels: { "io.buildah.version": "1.28.2", "io.xbuild.inputs": "def", own: "one" },
  Healthcheck: { Test: ["CMD", "true"] },
  Shell: ["/bin/sh", "-e", "-c"],
};

function describeConfig(config: object, stage?: { readonly hasEnginePath: boolean }): object {
  const rootfs = { type: "layers", diff_ids: [] } as const;
  return describeEngineConfig({ os: "linux", architecture: "amd64", rootfs, config }, stage);
}

const own = {
  User: "1:1",
  ExposedPorts: { "80/tcp": {} },
  Env: [path, "A=b"],
  Cmd: ["/bin/sh"],
  Volumes: { "/vol": {} },
  WorkingDir: "/tmp",
  OnBuild: ["RUN true"],
  Labels: { own: "one" },
  Healthcheck: { Test: ["CMD", "true"] },
  Shell: ["/bin/sh", "-e", "-c"],
};

it("an engine's config without what the engine adds", () => {
  expect(describeConfig(engineConfig)).toEqual(own);
  expect(describeConfig({ Labels: { "io.buildah.version": "1" }, Hostname: "x" })).toEqual({});
});

it("a PATH that the engine adds to an image from scratch is left out", () => {
  const stage = { hasEnginePath: true };
  expect(describeConfig(engineConfig, stage)).toEqual({ ...own, Env: ["A=b"] });
  expect(describeConfig({ Env: [path] }, stage)).toEqual({});
  expect(describeConfig({ Cmd: ["a"] }, stage)).toEqual({ Cmd: ["a"] });
});
