import { describe, expect, test } from "vitest";
import { mustPlan } from "../../test/support/plans.ts";
import { createRequest } from "../../test/support/recording-engine.ts";
import { commitTestImage, withStore } from "../../test/support/store.ts";
import { parseImageName } from "../oci/reference.ts";
import {
  findLastBuildRecord,
  findLastImage,
  listBuildKeys,
  type NamedStage,
} from "./last-build.ts";

const file = "FROM base AS a\nOUTPUT /l\nRUN x\nFROM base\nOUTPUT --from=a /l\nRUN x\n";

function nameStage(
  tag: string | undefined,
  { text = file, source = ["/p/Containerfile", "/p"], target = "" } = {},
): NamedStage {
  const names = tag === undefined ? [] : [parseImageName(tag)];
  return {
    plan: mustPlan(text, target === "" ? {} : { target }),
    request: createRequest("/p", {
      steps: { context: "/p", cacheKey: names[0]?.full ?? "/p" },
      reuse: { names, source },
    }),
  };
}

describe("what a build is known by", () => {
  const [source] = listBuildKeys(nameStage("app:a"));

  test("its file, whatever the tag, and its tag", () => {
    expect(listBuildKeys(nameStage("app:b"))).toEqual([source, "localhost/app:b\n1\n"]);
    expect(listBuildKeys(nameStage(undefined))).toEqual([source]);
  });

  test("a last stage without a name stays the last one", () => {
    const text = `FROM base AS zero\nOUTPUT /l\nRUN x\n${file}`;
    expect(listBuildKeys(nameStage("app:a", { text }))[0]).toBe(source);
    expect(listBuildKeys(nameStage("app:a", { target: "a" }))[0]).not.toBe(source);
  });

  test.each([[["/p/Other", "/p"]], [["/p/Containerfile", "/q"]], [["-", "/p", "localhost/app"]]])(
    "%j is another",
    (other) => expect(listBuildKeys(nameStage("app:a", { source: other }))[0]).not.toBe(source),
  );
});

test("under a tag that build comes first; refs of older versions still lead to their images", () =>
  withStore(async (store) => {
    const commit = (content: string, refs: readonly string[]) => {
      const record = { key: content, manifest: `sha256:${"0".repeat(64)}` as const, names: [] };
      return commitTestImage(store, [content], { refs, records: [record] });
    };
    const tagged = await commit("tagged", ["localhost/app:a\n1\n"]);
    const unnamed = await commit("unnamed", ["/p\n1\n"]);
    expect(await findLastImage(nameStage("app:a"), store)).toEqual(tagged);
    expect(await findLastImage(nameStage(undefined), store)).toEqual(unnamed);
    expect(await findLastImage(nameStage("app:b"), store)).toBeUndefined();
    const last = await commit("last", listBuildKeys(nameStage("app:c")));
    expect(await findLastImage(nameStage("app:a"), store)).toEqual(tagged);
    expect(await findLastImage(nameStage("app:b"), store)).toEqual(last);
    expect(await findLastImage(nameStage(undefined), store)).toEqual(last);
    expect((await findLastBuildRecord(nameStage("app:b"), store))?.key).toBe("last");
  }));
