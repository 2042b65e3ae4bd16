import { expect, test } from "vitest";
import { parsePlanFile, renderPlanFile } from "./plan-file.ts";

const text = `# history: sha256:0 registry.example/app:v1
# 34211840 bytes, 0.021 changes a month
dpkg:libc6 dpkg:libc-bin
bash
# 5 bytes, 2.000 changes a month
other:other
`;

test("comments tell of the layer right below them", () => {
  const plan = parsePlanFile(text);
  expect(plan.history).toEqual(["sha256:0 registry.example/app:v1"]);
  expect(plan.layers).toEqual([
    { keys: ["dpkg:libc6", "dpkg:libc-bin"], bytes: 34_211_840, changesPerMonth: 0.021 },
    { keys: ["bash"], bytes: undefined, changesPerMonth: undefined },
    { keys: ["other:other"], bytes: 5, changesPerMonth: 2 },
  ]);
  expect(renderPlanFile(plan)).toBe(text);
});

test("what a person has edited, and what is no plan at all", () => {
  const edited = "  # 1 bytes, 1 changes a month\n\n# mine\n a\tb \r\n#history: x\ty\n";
  expect(parsePlanFile(edited)).toEqual({
    history: ["x y"],
    layers: [{ keys: ["a", "b"], bytes: undefined, changesPerMonth: undefined }],
  });
  expect(parsePlanFile("")).toEqual({ history: [], layers: [] });
  const huge = `# ${"9".repeat(400)} bytes, ${"9".repeat(400)} changes a month\nx`;
  expect(parsePlanFile(huge).layers).toEqual([
    { keys: ["x"], bytes: undefined, changesPerMonth: undefined },
  ]);
});
