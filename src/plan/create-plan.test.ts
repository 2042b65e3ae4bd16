import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContainerfile } from "../containerfile/parse.ts";
import { mustPlan, planOf } from "../../test/support/plans.ts";
import { listPlans } from "./create-plan.ts";
import { drawGraph } from "./draw-graph.ts";
import { imageKey } from "./image-key.ts";
import { omitOutputs } from "./edits.ts";
import { nameStage } from "./separate.ts";

describe("createPlan", () => {
  it("gives nothing for a file without OUTPUT", () => {
    expect(planOf("FROM a\nRUN b\n")).toBeUndefined();
  });

  it("gives nothing where only a stage that the target does not use has one", () => {
    expect(planOf("FROM a AS one\nOUTPUT /layers\nFROM b\nRUN c\n")).toBeUndefined();
  });

  it.each([
    ["FROM a\nOUTPUT /layers\nCOPY . /x\n", true],
    ["FROM a\nOUTPUT /layers\nCOPY --from=b . /x\n", false],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=bind,target=/x true\n", true],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=cache,target=/x true\n", false],
    ["FROM a\nOUTPUT /layers\nRUN --mount=type=bind,from=b,target=/x true\n", false],
  ])("knows whether the layering steps of %j read the context", (text, expected) => {
    const reads = mustPlan(text).dependencies.stages.flatMap((stage) => stage.reads);
    expect(reads.some(({ context }) => context === undefined)).toBe(expected);
  });

  it("takes a stage that gives its layers for an image of its own", () => {
    const text = "FROM a AS x\nRUN y\nFROM b\nOUTPUT --from=x --from=c --from=scratch /l\nRUN z\n";
    const plan = mustPlan(text);
    expect(plan.target.bases).toEqual([
      { kind: "built", index: 0, name: "x" },
      { kind: "image", name: "c" },
    ]);
    expect(plan.stages.map(({ kind, name }) => [kind, name])).toEqual([["layered", "1"]]);
    expect(plan.dependencies.images.map(({ name }) => name)).toEqual(["b", "c"]);
    const [first] = listPlans(plan);
    expect(first?.target).toMatchObject({ kind: "plain", bases: [{ kind: "image", name: "a" }] });
  });

  it.each([
    ["linux/arm64/v8", ["a", "a for linux/arm64"]],
    ["arm", ["a", "a for linux/arm/v7"]],
    ["$BUILDPLATFORM", ["a"]],
    ["linux/x86_64", ["a"]],
    ["nothing/known", ["a"]],
  ])("knows the images that FROM asks for, for each platform: %s", (platform, keys) => {
    const text = `FROM --platform=${platform} a AS x\nFROM a\nCOPY --from=x /a /a\nOUTPUT /l\nRUN z\n`;
    const { images } = mustPlan(text).dependencies;
    expect(images.map((one) => imageKey(one))).toEqual(keys);
    const isKnown = platform !== "nothing/known";
    expect(images.some((one) => one.platform !== undefined)).toBe(isKnown);
  });

  it.each([
    ["FROM x", { base: { kind: "built", index: 0, name: "x" } }],
    ["FROM b\nCOPY --from=x /a /a", { uses: [{ reference: { kind: "built", index: 0 } }] }],
    [
      "FROM b\nRUN --mount=type=bind,from=0,target=/m c",
      { uses: [{ reference: { kind: "built", index: 0 } }] },
    ],
  ])("takes a stage with an OUTPUT for one, wherever it is used: %s", (text, expected) => {
    const plan = planOf(`FROM a AS x\nOUTPUT /l\nRUN y\n${text}\nRUN z\n`);
    expect(plan?.needed).toHaveLength(1);
    expect(plan?.needed[0]).toMatchObject(expected);
    expect(plan?.target).toMatchObject({ kind: "plain", index: 1 });
    expect(plan?.dependencies.built).toEqual([{ kind: "built", index: 0, name: "x" }]);
  });

  it("lists the plans of all images, each before those that use it, and of what is used alone", () => {
    const text = [
      "FROM a AS base\nRUN b",
      "FROM base AS one\nOUTPUT /l\nRUN x",
      "FROM base AS unused\nOUTPUT /l\nRUN x",
      "FROM one AS two\nOUTPUT --inherit-config /l\nRUN x",
      "FROM base AS end\nOUTPUT --from=two --from=one /l",
      "FROM c AS last",
    ];
    const plan = mustPlan(`${text.join("\n")}\n`, { target: "end" });
    expect(listPlans(plan).map(({ target }) => target.name)).toEqual(["one", "two", "end"]);
    expect(listPlans(plan).map(({ needed }) => needed.map(nameStage))).toEqual([
      ["base", "one"],
      ["two"],
      ["base", "end"],
    ]);
    expect(drawGraph(listPlans(plan))).toEqual([
      "Turn 1",
      "  base  stage  FROM a",
      "Turn 2",
      "  one   layers  FROM base",
      "Turn 3",
      "  two   layers  FROM one",
      "Turn 4",
      "  end   layers  FROM base; layers of two, one",
    ]);
  });
});

describe("omitOutputs", () => {
  it("gives a file without OUTPUT back byte for byte", () => {
    const text = "\uFEFF# x\r\nFROM a\r\nRUN \\\r\n  b";
    const bytes = Buffer.from(text);
    const containerfile = parseContainerfile(bytes, "f");
    expect(Buffer.from(omitOutputs(containerfile), "latin1")).toEqual(bytes);
  });

  it("does so for any bytes", () => {
    const line = fc.constantFrom("FROM a\n", "RUN b \\\r\n", "# c\n", "COPY <<E /d\n", "E\n", "\n");
    const anything = fc.array(fc.oneof(line, fc.string({ unit: "binary" })), { maxLength: 20 });
    fc.assert(
      fc.property(anything, (parts) => {
        const bytes = Buffer.from(parts.join(""));
        const containerfile = parseContainerfile(bytes, "f");
        fc.pre(containerfile.instructions.every((one) => one.keyword !== "OUTPUT"));
        expect(Buffer.from(omitOutputs(containerfile), "latin1").equals(bytes)).toBe(true);
      }),
    );
  });

  it("leaves all that has no part in an OUTPUT as it is", () => {
    const text = "FROM a AS x\nOUTPUT /l\nRUN b\n# c\nFROM d\nRUN e\n";
    const containerfile = parseContainerfile(Buffer.from(text), "f");
    expect(omitOutputs(containerfile)).toBe("FROM a AS x\n\n\n# c\nFROM d\nRUN e\n");
  });
});

function listTexts(instruction: string): readonly string[] {
  const text = `FROM a\n${instruction}OUTPUT /l\nRUN b\n`;
  return mustPlan(Buffer.from(text, "latin1")).dependencies.texts;
}

describe("what a result depends on", () => {
  it.each([
    ["FROM a\nADD https://one/f /f\n", 1],
    ["FROM a\nARG URL=https://one/f\nADD ${URL} /f\n", 1],
    ["FROM a\nENV HOST=https://one\nADD $HOST/f /f\n", 1],
    ["FROM a\nARG FILE=f\nADD ${FILE} /f\n", 0],
    ["FROM a\nARG URL=https://one/f\nADD --checksum=sha256:1 ${URL} /f\n", 0],
    ["FROM a\nARG URL=https://one/f\nCOPY ${URL} /f\n", 0],
  ])("knows what may change elsewhere: %j", (text, expected) => {
    const { unpredictable } = mustPlan(`${text}OUTPUT /layers\nRUN b\n`).dependencies;
    expect(unpredictable).toHaveLength(expected);
  });

  it("is another text for bytes that are no UTF-8, and for bodies that are joined otherwise", () => {
    const [one, other] = ["\u00fe", "\u00ff"].map((byte) =>
      listTexts(`COPY <<A /d/\nx${byte}y\nA\n`),
    );
    expect(one).not.toEqual(other);
    const first = listTexts("COPY <<A <<B /d/\nA\n\n2\nB\n");
    expect(first).not.toEqual(listTexts("COPY <<A <<B /d/\n\nA\n2\nB\n"));
  });
});
