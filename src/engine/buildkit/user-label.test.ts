import { expect, test } from "vitest";
import { mustPlan } from "../../../test/support/plans.ts";
import { lowerMetadata } from "./lower.ts";
import { hideUser, restoreUser } from "./user-label.ts";

test("a user of the file and one of a base come to the same by a label", () => {
  const plan = mustPlan("FROM a\nUSER $WHO\nWORKDIR /x\nOUTPUT /l\nRUN b\nUSER \\\n  app:grp\n");
  expect(lowerMetadata(plan, plan.target, "whole")).toMatch(
    /LABEL io\.xbuild\.user=\$WHO\nWORKDIR \/x\n\n\nLABEL io\.xbuild\.user=app:grp\n/,
  );
  const hidden = hideUser({ User: "app", Labels: { a: "b" }, OnBuild: ["USER x", "ENV A=1"] });
  expect(hidden).toEqual({
    Labels: { a: "b", "io.xbuild.user": "app" },
    OnBuild: ["LABEL io.xbuild.user=x", "ENV A=1"],
  });
  const config = { os: "linux", architecture: "amd64", config: hidden };
  const rootfs = { type: "layers", diff_ids: [] } as const;
  expect(restoreUser({ ...config, rootfs }).config).toMatchObject({
    Labels: { a: "b" },
    User: "app",
  });
});

test("what is no word of a label stays, and no user is none", () => {
  const plan = mustPlan('FROM a\nUSER "a b"\nOUTPUT /l\nRUN b\n');
  expect(lowerMetadata(plan, plan.target, "environment")).toContain('USER "a b"\n');
  const none = {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [] },
  } as const;
  expect(restoreUser({ ...none, config: hideUser({}) }).config).toEqual({});
});
