import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContainerfile } from "../containerfile/parse.ts";
import { resolveStages } from "../containerfile/stages.ts";
import { lowerFile, lowerLayering, pinImages } from "./lower.ts";
import type { BuildPlan, LayeringImages } from "./model.ts";
import { createPlan } from "./create-plan.ts";

function planOf(
  text: string,
  options: { target?: string; buildArgs?: Record<string, string> } = {},
): BuildPlan | undefined {
  const containerfile = parseContainerfile(Buffer.from(text), "Containerfile.x");
  const graph = resolveStages(containerfile, {
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    buildContexts: new Set(),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  expect([...containerfile.diagnostics, ...graph.diagnostics]).toEqual([]);
  return createPlan(containerfile, graph);
}

function mustPlan(...args: Parameters<typeof planOf>): BuildPlan {
  const plan = planOf(...args);
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

const images: LayeringImages = {
  environment: "localhost/xbuild-run-1:latest",
  pinned: new Map(),
  stages: new Map([[0, "abc"]]),
  variables: new Set(),
  epoch: undefined,
};

describe("createPlan", () => {
  it("gives nothing for a file without OUTPUT", () => {
    expect(planOf("FROM a\nRUN b\n")).toBeUndefined();
  });

  it("gives nothing where only a stage that the target does not use has one", () => {
    expect(planOf("FROM a AS one\nOUTPUT /layers\nFROM b\nRUN c\n")).toBeUndefined();
  });

  it("splits the stage at OUTPUT", () => {
    const plan = mustPlan('FROM a\nRUN b\nOUTPUT /layers\nRUN c\nCMD ["d"]\n');
    expect(plan.environment.text).toBe("FROM a\nRUN b\n");
    expect(lowerLayering(plan, images)).toBe(
      'FROM localhost/xbuild-run-1:latest\nRUN c\nCMD ["d"]\n' +
        'FROM localhost/xbuild-run-1:latest\nCMD ["d"]\n',
    );
    expect(plan.images).toEqual(["a"]);
  });

  it("gives the last stage an instruction where it would have none", () => {
    const plan = mustPlan("FROM a\nOUTPUT /layers\nRUN c\nARG X\n");
    expect(lowerLayering(plan, images)).toMatch(/\nFROM \S+\nARG X\nSTOPSIGNAL SIGTERM\n$/);
  });

  it("blanks an OUTPUT that the target does not use, and keeps line numbers", () => {
    const plan = mustPlan(
      "FROM a AS x\nOUTPUT /l\nRUN one\nFROM b\nRUN two\nOUTPUT /l\nRUN three\n",
    );
    expect(plan.environment.text).toBe("FROM a AS x\n\n\nFROM b\nRUN two\n");
    expect(plan.images).toEqual(["b"]);
  });

  it("declares the stage's arguments again, and the file's head", () => {
    const text =
      'ARG G=g\nFROM a\nARG G\nARG A="x y"\nARG B=$A-1\nARG GIVEN=no\nARG Q=a\\"b\nOUTPUT /layers\nRUN echo $B\n';
    const plan = mustPlan(text, { buildArgs: { GIVEN: "yes" } });
    expect(lowerLayering(plan, images)).toContain(
      'ARG G=g\nFROM localhost/xbuild-run-1:latest\nARG G\nARG A="x y"\nARG B="x y-1"\nARG GIVEN\nARG Q="a\\"b"\nRUN echo $B\n',
    );
  });

  it("leaves out an argument that the environment has as a variable", () => {
    const plan = mustPlan("FROM a\nARG PATH=x\nOUTPUT /layers\nRUN c\n");
    const text = lowerLayering(plan, { ...images, variables: new Set(["PATH"]) });
    expect(text).not.toContain("ARG");
  });

  it("declares SOURCE_DATE_EPOCH where an epoch is set", () => {
    const plan = mustPlan("FROM a\nOUTPUT /layers\nRUN c\n");
    expect(lowerLayering(plan, { ...images, epoch: 5 })).toContain("ARG SOURCE_DATE_EPOCH\nRUN c");
  });

  it("names the stages that layering steps read by image", () => {
    const plan = mustPlan(
      "FROM a AS tools\nRUN t\nFROM b\nOUTPUT /layers\nCOPY --from=tools --chown=1 /x /y\n" +
        "RUN --mount=type=bind,from=tools,target=/t true\n",
    );
    expect(plan.stages.map((one) => one.text)).toEqual(["FROM a AS tools\nRUN t\n"]);
    const text = lowerLayering(plan, images);
    expect(text).toContain("COPY --from=abc --chown=1 /x /y\n");
    expect(text).toContain("RUN --mount=type=bind,from=abc,target=/t true\n");
  });

  it("keeps ONBUILD before OUTPUT out of the environment", () => {
    const plan = mustPlan("FROM a\nONBUILD RUN x\nOUTPUT /layers\nRUN c\n");
    expect(plan.environment.text).toBe("FROM a\n\n");
    expect(plan.inheritedTriggers).toEqual(["RUN x"]);
  });

  it("keeps the escape directive", () => {
    const plan = mustPlan("# escape=`\nFROM a\nOUTPUT /layers\nRUN c `\n d\n");
    expect(lowerLayering(plan, images)).toMatch(/^# escape=`\nFROM/);
  });

  it.each([
    ["FROM a\nOUTPUT /layers\nCOPY . /x\n", true],
    ["FROM a\nOUTPUT /layers\nCOPY --from=b . /x\n", false],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=bind,target=/x true\n", true],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=cache,target=/x true\n", false],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=bind,from=b,target=/x true\n", false],
  ])("knows whether the layering steps of %j read the context", (text, expected) => {
    expect(mustPlan(text).readsContext).toBe(expected);
  });

  it.each([["FROM a AS x\nOUTPUT /l\nRUN y\nFROM x\nRUN z\n", /"x".*has an OUTPUT of its own/]])(
    "refuses what it cannot do: %j",
    (text, message) => {
      expect(() => planOf(text)).toThrow(message);
    },
  );

  it("knows the images of --from, and builds their stages", () => {
    const plan = mustPlan(
      "FROM a AS x\nRUN y\nFROM b\nOUTPUT --from=x --from=c --from=scratch /l\nRUN z\n",
    );
    expect(plan.bases).toEqual([
      { kind: "stage", index: 0 },
      { kind: "image", name: "c" },
    ]);
    expect(plan.stages.map((stage) => stage.name)).toEqual(["x"]);
    expect(plan.images).toEqual(["a", "b", "c"]);
  });
});

describe("pinImages", () => {
  const pinned = new Map([
    ["a", "localhost/run-0"],
    ["c", "localhost/run-1"],
  ]);

  it("gives images from outside the names of the run, and keeps lines", () => {
    const plan = mustPlan(
      "ARG N=a\nFROM --platform=linux/amd64 \\\n $N AS x\nFROM a\nCOPY --from=c /1 /1\nCOPY --from=x /2 /2\nOUTPUT /l\nRUN --mount=from=c true\n",
    );
    expect(pinImages(plan, plan.environment, pinned)).toBe(
      "ARG N=a\nFROM --platform=linux/amd64 localhost/run-0 AS x\n\nFROM localhost/run-0\nCOPY --from=localhost/run-1 /1 /1\nCOPY --from=x /2 /2\n",
    );
    expect(lowerLayering(plan, { ...images, pinned })).toContain("--mount=from=localhost/run-1");
  });

  it("leaves stages that are not needed alone", () => {
    const plan = mustPlan(
      "FROM a AS unused\nOUTPUT /l\nCOPY --from=c / /\nRUN t\nFROM b\nOUTPUT /l\nRUN t\n",
    );
    expect(pinImages(plan, plan.environment, pinned)).toBe("FROM a AS unused\n\n\n\nFROM b\n");
  });
});

describe("lowerFile", () => {
  it("gives a file without OUTPUT back byte for byte", () => {
    const text = "\uFEFF# x\r\nFROM a\r\nRUN \\\r\n  b";
    const bytes = Buffer.from(text);
    const containerfile = parseContainerfile(bytes, "f");
    expect(Buffer.from(lowerFile(containerfile), "latin1")).toEqual(bytes);
  });

  it("does so for any bytes", () => {
    const line = fc.constantFrom("FROM a\n", "RUN b \\\r\n", "# c\n", "COPY <<E /d\n", "E\n", "\n");
    const anything = fc.array(fc.oneof(line, fc.string({ unit: "binary" })), { maxLength: 20 });
    fc.assert(
      fc.property(anything, (parts) => {
        const bytes = Buffer.from(parts.join(""));
        const containerfile = parseContainerfile(bytes, "f");
        fc.pre(containerfile.instructions.every((one) => one.keyword !== "OUTPUT"));
        expect(Buffer.from(lowerFile(containerfile), "latin1").equals(bytes)).toBe(true);
      }),
    );
  });

  it("leaves all that has no part in an OUTPUT as it is", () => {
    const text = "FROM a AS x\nOUTPUT /l\nRUN b\n# c\nFROM d\nRUN e\n";
    const containerfile = parseContainerfile(Buffer.from(text), "f");
    expect(lowerFile(containerfile)).toBe("FROM a AS x\n\n\n# c\nFROM d\nRUN e\n");
  });
});
