import { describe, expect, it } from "vitest";
import { callsCommand, findMissingHelper } from "./missing-helper.ts";

describe("callsCommand", () => {
  it.each([
    "RUN layer keep a",
    "RUN --mount=type=cache,target=/c layer split auto /",
    "run set -e; layer add a /a",
    "RUN A=1 layer list",
    "RUN x && layer add b /b || true",
    "RUN for p in a b; do layer keep $p; done",
    "RUN if ! layer has a; then true; fi",
    "RUN n=$(layer list)",
    "RUN echo x | layer add a -",
    "RUN set -e\nlayer list",
  ])("finds it in %j", (text) => {
    expect(callsCommand(text, "layer")).toBe(true);
  });

  it.each([
    "RUN /layers/bin/layer keep a",
    "RUN echo layer",
    "RUN nosuch layer",
    "RUN layers keep a",
    "RUN mv layer /x",
  ])("finds none in %j", (text) => {
    expect(callsCommand(text, "layer")).toBe(false);
  });
});

describe("findMissingHelper", () => {
  const mount = { source: "/s", target: "/out/", readOnly: true };
  const step = "RUN layer list";

  it("names the path of the helper", () => {
    const hint = findMissingHelper({ mode: "single", mounts: [mount] }, { status: 127, step });
    expect(hint).toContain("/out/bin/layer");
  });

  it.each([
    ["another status", "single", 1, step],
    ["a step before OUTPUT", "cached", 127, step],
    ["another command", "single", 127, "RUN nosuch"],
    ["a step that is not known", "single", 127, undefined],
  ] as const)("says nothing of %s", (_, mode, status, text) => {
    expect(findMissingHelper({ mode, mounts: [mount] }, { status, step: text })).toBeUndefined();
  });
});
