import { describe, expect, it } from "vitest";
import { mustPlan } from "../../test/support/plans.ts";
import type { BuildPlan } from "./model.ts";
import { imageKey } from "./image-key.ts";
import { applyTriggers } from "./triggers.ts";

/** The plan where these images have such triggers. */
function fire(text: string, triggers: Readonly<Record<string, readonly string[]>>): BuildPlan {
  return applyTriggers(mustPlan(text), ({ name }) => triggers[name] ?? []);
}

const tail = "OUTPUT /l\nRUN x\n";

describe("triggers of a base", () => {
  it("count as instructions behind FROM", () => {
    const { dependencies } = fire(`FROM a\nRUN one\n${tail}`, {
      a: ["ARG V=1", "COPY v $V/", "ADD https://files.example/a /a"],
    });
    expect(dependencies.texts).toEqual([
      "FROM a",
      "ARG V=1",
      "COPY v $V/",
      "ADD https://files.example/a /a",
      "RUN one",
      "OUTPUT /l",
      "RUN x",
    ]);
    expect(dependencies.declaredArguments).toEqual(new Set(["V"]));
    expect(dependencies.unpredictable).toHaveLength(1);
    expect(dependencies.fired.size).toBe(3);
    expect(dependencies.stages[0]?.reads).toMatchObject([{ paths: ["v"] }]);
  });

  it("declare arguments that hold behind OUTPUT, too", () => {
    const plan = fire(`FROM a\n${tail}`, { a: ["ARG V=1"] });
    expect(plan.target).toMatchObject({
      layering: { argumentsAtOutput: [{ name: "V", value: "1" }] },
    });
    expect(plan.stages.at(-1)).toBe(plan.target);
  });

  it("name images and stages that nothing else uses, whose bases have triggers of their own", () => {
    const text = `FROM b AS tools\nRUN t\nFROM a\n${tail}`;
    expect(mustPlan(text).dependencies.images.map((one) => imageKey(one))).toEqual(["a"]);
    const { dependencies } = fire(text, {
      a: ["COPY --from=tools /t /t", "RUN --mount=from=c,target=/c true"],
      b: ["COPY w /w"],
    });
    expect(dependencies.images.map((one) => imageKey(one))).toEqual(["a", "b", "c"]);
    expect(dependencies.stages.flatMap(({ reads }) => reads)).toMatchObject([{ paths: ["w"] }]);
  });

  it("are those of a stage of the file, once", () => {
    const text = `FROM a AS x\nONBUILD COPY v /v\nFROM x AS y\nRUN y\nFROM y\n${tail}`;
    const { dependencies } = mustPlan(text);
    expect(dependencies.texts.filter((one) => one === "COPY v /v")).toHaveLength(1);
  });

  it("may be taken back by another image of the name", () => {
    const text = `FROM a\n${tail}`;
    const plan = fire(text, { a: ["COPY v /v"] });
    expect(applyTriggers(plan, () => []).dependencies).toEqual(mustPlan(text).dependencies);
  });

  it("that make other stages of the file leave the build without a key", () => {
    const { dependencies } = fire(`FROM a\n${tail}`, { a: ["RUN x\nFROM b"] });
    expect(dependencies.unpredictable).not.toEqual([]);
  });
});
