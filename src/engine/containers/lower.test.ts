import { describe, expect, it } from "vitest";
import { type LayeredPlan, mustPlan } from "../../../test/support/plans.ts";
import type { Instruction } from "../../containerfile/model.ts";
import { imageKey } from "../../plan/image-key.ts";
import { lowerLayering, lowerStage, type LayeringImages } from "./lower.ts";

const images: LayeringImages = {
  environment: "localhost/xbuild-run-1:latest",
  pinned: new Map(),
  stages: new Map([[0, "abc"]]),
  variables: new Set(),
  epoch: undefined,
  heredocs: new Map(),
};

const names = {
  pinned: new Map<string, string>(),
  mounted: new Map<string, string>(),
  stages: new Map<number, string>(),
  digests: new Map<Instruction, string>(),
  heredocs: new Map(),
};

function environmentOf(plan: LayeredPlan): string {
  return lowerStage(plan, plan.target, names);
}

function layeringOf(plan: LayeredPlan, given: Partial<LayeringImages> = {}): string {
  return lowerLayering(plan, plan.target, { ...images, ...given });
}

describe("the plain Containerfiles", () => {
  it("splits the stage at OUTPUT", () => {
    const plan = mustPlan('FROM a\nRUN b\nOUTPUT /layers\nRUN c\nCMD ["d"]\n');
    expect(environmentOf(plan)).toBe("FROM a\nRUN b\n");
    expect(layeringOf(plan)).toBe(
      'FROM localhost/xbuild-run-1:latest\nRUN c\nCMD ["d"]\n' +
        'FROM localhost/xbuild-run-1:latest\nCMD ["d"]\n',
    );
    expect(plan.dependencies.images.map((one) => imageKey(one))).toEqual(["a"]);
  });

  it("gives the last stage an instruction where it would have none", () => {
    const plan = mustPlan("FROM a\nOUTPUT /layers\nRUN c\nARG X\n");
    expect(layeringOf(plan)).toMatch(/\nFROM \S+\nARG X\nSTOPSIGNAL SIGTERM\n$/);
  });

  it("blanks an OUTPUT that the target does not use, and keeps line numbers", () => {
    const plan = mustPlan(
      "FROM a AS x\nOUTPUT /l\nRUN one\nFROM b\nRUN two\nOUTPUT /l\nRUN three\n",
    );
    expect(environmentOf(plan)).toBe("FROM a AS x\n\n\nFROM b\nRUN two\n");
    expect(plan.dependencies.images.map((one) => imageKey(one))).toEqual(["b"]);
  });

  it("declares the stage's arguments again, and the file's head", () => {
    const text =
      'ARG G=g\nFROM a\nARG G\nARG A="x y"\nARG B=$A-1\nARG GIVEN=no\nARG Q=a\\"b\nOUTPUT /layers\nRUN echo $B\n';
    const plan = mustPlan(text, { buildArgs: { GIVEN: "yes" } });
    expect(layeringOf(plan)).toContain(
      'ARG G=g\nFROM localhost/xbuild-run-1:latest\nARG G\nARG A="x y"\nARG B="x y-1"\nARG GIVEN\nARG Q="a\\"b"\nRUN echo $B\n',
    );
  });

  it("leaves out an argument that the environment has as a variable", () => {
    const plan = mustPlan("FROM a\nARG PATH=x\nOUTPUT /layers\nRUN c\n");
    const text = layeringOf(plan, { variables: new Set(["PATH"]) });
    expect(text).not.toContain("ARG");
  });

  it("declares SOURCE_DATE_EPOCH where an epoch is set", () => {
    const plan = mustPlan("FROM a\nOUTPUT /layers\nRUN c\n");
    expect(layeringOf(plan, { epoch: 5 })).toContain("ARG SOURCE_DATE_EPOCH\nRUN c");
  });

  it("names the stages that layering steps read by image", () => {
    const plan = mustPlan(
      "FROM a AS tools\nRUN t\nFROM b\nOUTPUT /layers\nCOPY --from=tools --chown=1 /x /y\n" +
        "RUN --mount=type=bind,from=tools,target=/t true\n",
    );
    expect(plan.stages.slice(0, -1).map((one) => lowerStage(plan, one, names))).toEqual([
      "FROM a AS tools\nRUN t\n",
    ]);
    const text = layeringOf(plan);
    expect(text).toContain("COPY --from=abc --chown=1 /x /y\n");
    expect(text).toContain("RUN --mount=type=bind,from=abc,target=/t true\n");
  });

  it("keeps ONBUILD before OUTPUT out of the environment", () => {
    const plan = mustPlan("FROM a\nONBUILD RUN x\nOUTPUT /layers\nRUN c\n");
    expect(environmentOf(plan)).toBe("FROM a\n\n");
    expect(plan.target.inheritedTriggers).toEqual(["RUN x"]);
  });

  it("keeps the escape directive", () => {
    const plan = mustPlan("# escape=`\nFROM a\nOUTPUT /layers\nRUN c `\n d\n");
    expect(layeringOf(plan)).toMatch(/^# escape=`\nFROM/);
  });
});

describe("lowerStage with names of the run", () => {
  const pinned = new Map([
    ["a", "localhost/run-0"],
    ["c", "localhost/run-1"],
  ]);

  it("gives images from outside the names of the run, and keeps lines", () => {
    const plan = mustPlan(
      "ARG N=a\nFROM --platform=linux/amd64 \\\n $N AS x\nFROM a\nCOPY --from=c /1 /1\nCOPY --from=x /2 /2\nOUTPUT /l\nRUN --mount=from=c true\n",
    );
    expect(lowerStage(plan, plan.target, { ...names, pinned })).toBe(
      "ARG N=a\nFROM --platform=linux/amd64 localhost/run-0 AS x\n\nFROM localhost/run-0\nCOPY --from=localhost/run-1 /1 /1\nCOPY --from=x /2 /2\n",
    );
    expect(layeringOf(plan, { pinned })).toContain("--mount=from=localhost/run-1");
  });

  it("tells steps apart that read other things", () => {
    const plan = mustPlan("FROM a\nRUN x\n  RUN y \\\n z\nOUTPUT /l\nRUN t\n");
    const step = plan.needed[0]?.stage.instructions[1];
    const digests = new Map(step === undefined ? [] : [[step, "d1"]]);
    expect(lowerStage(plan, plan.target, { ...names, digests })).toBe(
      "FROM a\nRUN x\n  LABEL io.xbuild.inputs=d1\nRUN y \\\n z\n",
    );
  });

  it("names what is mounted by its image, so that the step is the same one in each run", () => {
    const plan = mustPlan(
      "FROM a\nRUN --mount=type=bind,from=c,target=/c --mount=type=bind,from=a,target=/a t\nCOPY --from=c /1 /1\nOUTPUT /l\nRUN t\n",
    );
    const mounted = new Map([["c", "1234"]]);
    expect(lowerStage(plan, plan.target, { ...names, pinned, mounted })).toBe(
      "FROM localhost/run-0\nRUN --mount=type=bind,from=1234,target=/c --mount=type=bind,from=localhost/run-0,target=/a t\nCOPY --from=localhost/run-1 /1 /1\n",
    );
  });

  it("tells stages of one name apart, wherever they are named", () => {
    const plan = mustPlan(
      "FROM a AS x\nRUN one\nFROM x AS y\nRUN two\nFROM scratch AS X\nCOPY --from=y /1 /1\nCOPY --from=0 /2 /2\nFROM x AS z\nCOPY --from=x /3 /3\nOUTPUT /l\nRUN t\n",
    );
    expect(environmentOf(plan)).toBe(
      "FROM a AS xbuild-stage-0\nRUN one\nFROM xbuild-stage-0 AS y\nRUN two\nFROM scratch AS xbuild-stage-2\nCOPY --from=y /1 /1\nCOPY --from=xbuild-stage-0 /2 /2\nFROM xbuild-stage-2 AS z\nCOPY --from=xbuild-stage-2 /3 /3\n",
    );
  });

  it("leaves stages that are not needed alone", () => {
    const plan = mustPlan(
      "FROM a AS unused\nOUTPUT /l\nCOPY --from=c / /\nRUN t\nFROM b\nOUTPUT /l\nRUN t\n",
    );
    expect(lowerStage(plan, plan.target, { ...names, pinned })).toBe(
      "FROM a AS unused\n\n\n\nFROM b\n",
    );
  });
});
