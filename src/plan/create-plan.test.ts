import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContainerfile } from "../containerfile/parse.ts";
import { mustPlan, planOf } from "../../test/support/plans.ts";
import { imageKey } from "./image-key.ts";
import { omitOutputs } from "./edits.ts";

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
    expect(plan.target.bases).toEqual([
      { kind: "stage", index: 0 },
      { kind: "image", name: "c" },
    ]);
    expect(plan.stages.map(({ kind, name }) => [kind, name])).toEqual([
      ["plain", "x"],
      ["layered", "1"],
    ]);
    expect(plan.dependencies.images.map((one) => imageKey(one))).toEqual(["a", "b", "c"]);
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
