import { describe, expect, it } from "vitest";
import { parseContainerfile } from "../containerfile/parse.ts";
import { resolveStages } from "../containerfile/stages.ts";
import type { ContainerConfig, ImageConfig } from "../oci/model.ts";
import { createAuthor, createConfig, describeMetadata } from "./config.ts";
import type { BuildPlan } from "./model.ts";
import { createPlan } from "./create-plan.ts";

function planOf(text: string): BuildPlan {
  const containerfile = parseContainerfile(Buffer.from(text), "Containerfile.x");
  const graph = resolveStages(containerfile, {
    buildArgs: new Map(),
    buildContexts: new Set(),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  const plan = createPlan(containerfile, graph);
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

function imageOf(config: ContainerConfig, author?: string): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [] },
    ...(author === undefined ? {} : { author }),
  };
}

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

interface Row {
  readonly what: string;
  readonly text: string;
  readonly environment: ContainerConfig;
  readonly layering: ContainerConfig;
  readonly expected: ContainerConfig;
}

const rows: readonly Row[] = [
  {
    what: "nothing of the environment without --inherit-config",
    text: "FROM a\nOUTPUT /l\nRUN x\n",
    environment: { Env: [path, "A=1"], Cmd: ["a"], Labels: { l: "1" } },
    layering: { Env: [path, "A=1"], Cmd: ["a"], Labels: { l: "1" } },
    expected: {},
  },
  {
    what: "what the instructions after OUTPUT name, as the engine evaluated it",
    text: 'FROM a\nOUTPUT /l\nENV B=$A-2 PATH=/x:$PATH\nLABEL k=v\nCMD ["c"]\nUSER u\nWORKDIR w\nEXPOSE 80 53/udp\nVOLUME /v\nSTOPSIGNAL 9\n',
    environment: { Env: [path, "A=1"], WorkingDir: "/s" },
    layering: {
      Env: ["A=1", "B=1-2", "PATH=/x:/y"],
      Labels: { k: "v" },
      Cmd: ["c"],
      User: "u",
      WorkingDir: "/s/w",
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Volumes: { "/v": {} },
      StopSignal: "9",
    },
    expected: {
      Env: ["B=1-2", "PATH=/x:/y"],
      Labels: { k: "v" },
      Cmd: ["c"],
      User: "u",
      WorkingDir: "/s/w",
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Volumes: { "/v": {} },
      StopSignal: "9",
    },
  },
  {
    what: "a key that the environment has already, where an instruction names it again",
    text: "FROM a\nENV A=1\nEXPOSE 80\nLABEL l=1\nOUTPUT /l\nENV A=1\nEXPOSE 80-81\nLABEL l=1\n",
    environment: {
      Env: ["A=1"],
      ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "9/tcp": {} },
      Labels: { l: "1", m: "2" },
    },
    layering: {
      Env: ["A=1"],
      ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "9/tcp": {} },
      Labels: { l: "1", m: "2" },
    },
    expected: { Env: ["A=1"], ExposedPorts: { "80/tcp": {}, "81/tcp": {} }, Labels: { l: "1" } },
  },
  {
    what: "the environment's config with --inherit-config, without the engine's label",
    text: "FROM a\nOUTPUT --inherit-config /l\nENV B=2\n",
    environment: { Env: [path, "A=1"], Cmd: ["a"], Labels: { l: "1", "io.buildah.version": "1" } },
    layering: {
      Env: [path, "A=1", "B=2"],
      Cmd: ["a"],
      Labels: { l: "1", "io.buildah.version": "1" },
    },
    expected: { Env: [path, "A=1", "B=2"], Cmd: ["a"], Labels: { l: "1" } },
  },
  {
    what: "no labels where the environment has the engine's alone",
    text: "FROM a\nOUTPUT --inherit-config /l\n",
    environment: { User: "u", Labels: { "io.buildah.version": "1" } },
    layering: {},
    expected: { User: "u" },
  },
  {
    what: "no PATH that the engine added to an environment from scratch",
    text: "FROM scratch\nOUTPUT --inherit-config /l\nCMD a\n",
    environment: { Env: [path] },
    layering: { Env: [path], Cmd: ["/bin/sh", "-c", "a"] },
    expected: { Cmd: ["/bin/sh", "-c", "a"] },
  },
  {
    what: "an ENTRYPOINT after OUTPUT clears the base's CMD",
    text: 'FROM a\nOUTPUT --inherit-config /l\nENTRYPOINT ["e"]\n',
    environment: { Cmd: ["base"] },
    layering: { Entrypoint: ["e"] },
    expected: { Entrypoint: ["e"] },
  },
  {
    what: "and leaves a CMD of the same stage alone",
    text: 'FROM a\nCMD ["c"]\nOUTPUT --inherit-config /l\nENTRYPOINT ["e"]\n',
    environment: { Cmd: ["c"] },
    layering: { Entrypoint: ["e"] },
    expected: { Cmd: ["c"], Entrypoint: ["e"] },
  },
  {
    what: "triggers of both parts with --inherit-config",
    text: "FROM a\nONBUILD RUN 1\nOUTPUT --inherit-config /l\nONBUILD RUN 2\n",
    environment: {},
    layering: { OnBuild: ["RUN 2"] },
    expected: { OnBuild: ["RUN 1", "RUN 2"] },
  },
  {
    what: "what only Docker's format has",
    text: 'FROM a\nOUTPUT /l\nSHELL ["/bin/bash", "-c"]\nHEALTHCHECK CMD true\n',
    environment: {},
    layering: { Shell: ["/bin/bash", "-c"], Healthcheck: { Test: ["CMD-SHELL", "true"] } },
    expected: { Shell: ["/bin/bash", "-c"], Healthcheck: { Test: ["CMD-SHELL", "true"] } },
  },
];

describe("createConfig", () => {
  it.each(rows)("has $what", ({ text, environment, layering, expected }) => {
    const configs = { environment: imageOf(environment), layering: imageOf(layering) };
    expect(createConfig(planOf(text).target, configs)).toEqual(expected);
  });
});

describe("createAuthor", () => {
  it.each([
    ["FROM a\nOUTPUT /l\nMAINTAINER me\n", "me"],
    ["FROM a\nOUTPUT /l\nRUN x\n", undefined],
    ["FROM a\nOUTPUT --inherit-config /l\nRUN x\n", "you"],
  ])("of %j is %j", (text, expected) => {
    const configs = { environment: imageOf({}, "you"), layering: imageOf({}, "me") };
    expect(createAuthor(planOf(text).target, configs)).toBe(expected);
  });
});

describe("describeMetadata", () => {
  it("names each metadata instruction as it was written, on one line", () => {
    const plan = planOf("FROM a\nOUTPUT /l\nARG X\nRUN y\nENV A=1 \\\n  B=2\ncmd z\n");
    expect(describeMetadata(plan.target)).toEqual(["ENV A=1 B=2", "cmd z"]);
  });
});
