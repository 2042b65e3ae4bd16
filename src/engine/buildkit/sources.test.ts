import { describe, expect, it, test } from "vitest";
import { mustPlan } from "../../../test/support/plans.ts";
import { assertOwnNames, listSources, nameBuiltSources, nameContext } from "./sources.ts";
import { lowerEnvironment } from "./lower.ts";
import type { EngineBuild, ImagePlace } from "../model.ts";

const digest = `sha256:${"a".repeat(64)}` as const;

// What `FamiliarString` of distribution's reference gives, `:latest` left out at the end (BuildKit, `NamedContext`).
test.each([
  ["alpine", "alpine"],
  ["alpine:latest", "alpine"],
  ["alpine:3.20", "alpine:3.20"],
  ["library/alpine", "alpine"],
  ["docker.io/alpine", "alpine"],
  ["docker.io/library/alpine", "alpine"],
  ["docker.io/library/alpine:latest", "alpine"],
  ["index.docker.io/library/alpine:3", "alpine:3"],
  ["docker.io/team/app:latest", "team/app"],
  ["library/team/app", "library/team/app"],
  ["docker.io/library/team/app", "library/team/app"],
  ["team/library/app", "team/library/app"],
  ["localhost/app:latest", "localhost/app"],
  ["localhost/library/app", "localhost/library/app"],
  ["localhost:5000/a/b:tag", "localhost:5000/a/b:tag"],
  ["localhost:5000/library/alpine:latest", "localhost:5000/library/alpine"],
  ["quay.io/library/alpine", "quay.io/library/alpine"],
  ["MyHost/app", "MyHost/app"],
  [`alpine@${digest}`, `alpine@${digest}`],
  [`docker.io/library/alpine@${digest}`, `alpine@${digest}`],
  [`library/alpine:latest@${digest}`, `alpine:latest@${digest}`],
  [`r.example:5000/a@${digest}`, `r.example:5000/a@${digest}`],
])("%s is asked for as %s", (key, name) => {
  expect(nameContext(key)).toBe(name);
});

test.each(["oci:/dir:name", "docker-archive:x.tar"])("%s is none of a registry", (key) => {
  expect(nameContext(key)).toBeUndefined();
});

const image: ImagePlace = {
  source: { kind: "registry", name: `r.example/base@${digest}` },
  readConfig: () => Promise.resolve(Buffer.from("{}")),
};
const layout: ImagePlace = {
  source: { kind: "layout", directory: "/store/run/stage", digest },
  readConfig: () => Promise.resolve(Buffer.from("{}")),
};

function sourcesOf(
  text: string,
  given: Pick<EngineBuild, "places"> & { readonly contexts?: ReadonlyMap<string, string> },
): object {
  const plan = mustPlan(text, { target: "last" });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of it
  const build = {
    plan,
    places: given.places,
    sent: new Map([["/some/dir", { name: "xbuild-sent" }]]),
    steps: { buildContexts: given.contexts ?? new Map() },
  } as unknown as EngineBuild;
  return Object.fromEntries(listSources(build));
}

describe("the sources of a build", () => {
  it("are its images and its stages by names of ours", () => {
    const text =
      "FROM docker.io/library/a AS x\nOUTPUT /l\nRUN one\nFROM b AS last\nCOPY --from=x /1 /1\nOUTPUT /l\nRUN two\n";
    expect([...nameBuiltSources(mustPlan(text, { target: "last" }))]).toEqual([
      ["stage 0", "xbuild-stage-0"],
    ]);
    const places = new Map([
      ["b", image],
      ["stage 0", layout],
    ]);
    expect(sourcesOf(text, { places })).toEqual({
      "xbuild-image-0": image.source,
      "xbuild-stage-0": layout.source,
    });
  });

  it("are images for other platforms by others", () => {
    const text =
      "FROM --platform=linux/arm64 b AS x\nFROM b AS last\nCOPY --from=x /1 /1\nOUTPUT /l\nRUN t\n";
    const places = new Map([
      ["b", image],
      ["b for linux/arm64", layout],
    ]);
    expect(sourcesOf(text, { places })).toEqual({
      "xbuild-image-0": image.source,
      "xbuild-image-1": layout.source,
    });
    const plan = mustPlan(text, { target: "last" });
    expect(lowerEnvironment(plan, plan.target)).toBe(
      "FROM --platform=linux/arm64 xbuild-image-1 AS x\nFROM xbuild-image-0 AS last\nCOPY --from=x /1 /1\n",
    );
  });

  it("are named contexts, too: directories, images that are known by then, and what is BuildKit's", () => {
    const places = new Map([["r.example/base:1", image]]);
    const contexts = new Map([
      ["files", "/some/dir"],
      ["base", "docker-image://r.example/base:1"],
      ["other", "docker-image://r.example/other"],
      ["far", "https://example.com/x.git"],
    ]);
    expect(sourcesOf("FROM scratch AS last\nOUTPUT /l\nRUN t\n", { places, contexts })).toEqual({
      files: { kind: "directory", path: "/some/dir", sentAs: { name: "xbuild-sent" } },
      base: image.source,
      other: { kind: "other", value: "docker-image://r.example/other" },
      far: { kind: "other", value: "https://example.com/x.git" },
    });
  });
});

test.each([
  ["FROM a AS xbuild-layers\nFROM b AS last\nOUTPUT /l\nRUN c\n", new Map()],
  ["FROM a AS last\nOUTPUT /l\nRUN c\n", new Map([["Xbuild-stage-0", "/d"]])],
])("a name of ours is nobody else's: %j", (text, buildContexts) => {
  const plan = mustPlan(text, { target: "last" });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of it
  const build = { plan, steps: { buildContexts } } as unknown as EngineBuild;
  expect(() => assertOwnNames(build)).toThrow(expect.objectContaining({ code: "usage" }));
});
