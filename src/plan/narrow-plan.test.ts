import { describe, expect, it } from "vitest";
import { mustPlan } from "../../test/support/plans.ts";
import { narrowPlan } from "./narrow-plan.ts";

describe("narrowPlan", () => {
  const plan = mustPlan(`ARG GLOBAL=1
FROM a AS tools
COPY tools.c /
FROM b AS data
COPY data /
FROM c AS unused
FROM d
ARG BEFORE
COPY --from=tools /tool /tool
COPY environment /
OUTPUT --from=e /layers
ARG BEHIND
COPY layering /
COPY --from=data /data /data
RUN --mount=type=bind,target=/context true
`);

  it("has of the target what stands before OUTPUT, and the stages that this reads", () => {
    const { dependencies } = narrowPlan(plan, plan.target);
    expect(dependencies.images.map(({ name }) => name)).toEqual(["a", "d"]);
    expect(dependencies.texts).toEqual([
      "ARG GLOBAL=1",
      "FROM a AS tools",
      "COPY tools.c /",
      "FROM d",
      "ARG BEFORE",
      "COPY --from=tools /tool /tool",
      "COPY environment /",
    ]);
    expect([...dependencies.declaredArguments]).toEqual(["GLOBAL", "BEFORE"]);
    const reads = dependencies.stages.flatMap((stage) => stage.reads);
    expect(reads.map(({ paths }) => paths)).toEqual([["tools.c"], ["environment"]]);
    expect(dependencies.links).toEqual(["1.1 stage 0"]);
  });

  it("has of a stage that is read behind OUTPUT what it is made of", () => {
    expect(plan.stages.map(({ name }) => name)).toEqual(["data", "3"]);
    const [data = plan.target] = plan.stages;
    const { dependencies } = narrowPlan(plan, data);
    expect(dependencies.texts).toEqual(["ARG GLOBAL=1", "FROM b AS data", "COPY data /"]);
  });
});
