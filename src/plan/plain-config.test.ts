import { expect, it } from "vitest";
import { planOf } from "../../test/support/plans.ts";
import { createConfig } from "./config.ts";

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

/** Of a stage without OUTPUT on an image, or on nothing. */
function describeConfig(config: object, base: "layers" | "scratch" = "layers"): object {
  const text = `FROM a AS layers\nOUTPUT /l\nRUN x\nFROM ${base}\nCOPY --from=layers /a /b\n`;
  const target = planOf(text)?.target;
  if (target?.kind !== "plain") throw new Error("the target has no OUTPUT");
  const rootfs = { type: "layers", diff_ids: [] } as const;
  const image = { os: "linux", architecture: "amd64", rootfs, config };
  return createConfig(target, { environment: image, layering: image });
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
  expect(describeConfig(engineConfig, "scratch")).toEqual({ ...own, Env: ["A=b"] });
  expect(describeConfig({ Env: [path] }, "scratch")).toEqual({});
  expect(describeConfig({ Cmd: ["a"] }, "scratch")).toEqual({ Cmd: ["a"] });
});
