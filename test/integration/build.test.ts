import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test as plainTest } from "vitest";
import { buildImage } from "../../src/pipeline/build.ts";
import type { BuildResult } from "../../src/pipeline/request.ts";
import type { BuildCall } from "../../src/engine/containers/commands.ts";
import { digestBytes, digestHex } from "../../src/oci/digest.ts";
import {
  createWorkspace,
  createRecordingEngine,
  type GivenRequest,
  planBuild,
  writeLayer,
  type RecordedCall,
  type RecordingEngine,
  type RecordingOptions,
  plainId,
} from "../support/recording-engine.ts";
import { withTemporaryDirectory } from "../support/images.ts";
import { validateLayout } from "../support/validate-layout.ts";

// What a build asks of an engine, and in which order. The recording engine runs nothing.

/** Each test has a directory, which is gone when it is over. */
const test = plainTest.extend<{ readonly directory: string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the fixtures that are asked for from here
  directory: async ({}, use) => withTemporaryDirectory(use),
});

const baseId = plainId;
const images = new Map([["base", baseId]]);

const text = `FROM base AS tool
RUN make tool
FROM base AS final
ARG A=1
COPY . /src
OUTPUT /layers
ARG LATER=2
COPY --from=tool /tool /tool
RUN --mount=from=tool,target=/mnt build it
ENV RESULT=$A
`;

interface Recorded {
  readonly recording: RecordingEngine;
  readonly steps: readonly string[];
  readonly result: BuildResult;
}

async function record(
  directory: string,
  given: GivenRequest = {},
  options: RecordingOptions = {},
): Promise<Recorded> {
  await mkdir(join(directory, "context"), { recursive: true });
  const { request, plan } = planBuild(text, directory, given);
  const recording = createRecordingEngine({ images, ...options });
  const work = await createWorkspace(recording.engine, directory);
  const result = await buildImage(plan, request, work);
  if (!("digest" in result)) throw new Error("it was built elsewhere");
  expect(await validateLayout(work.store.directory)).toEqual([]);
  expect(await readdir(join(work.store.directory, "tmp"))).toEqual([]);
  return { recording, steps: work.steps, result };
}

/** Names of calls, and for builds what they are for. */
function outline(calls: readonly RecordedCall[]): readonly string[] {
  return calls.map(([name, first]) => (name === "build" ? `build ${String(first)}` : name));
}

describe("the order of the calls", () => {
  test("a first build: names, other stages, the environment, the layering steps", async ({
    directory,
  }) => {
    const { recording, steps, result } = await record(directory);
    expect(outline(recording.calls)).toEqual([
      "findImage",
      "readConfig",
      "tag",
      "build stage tool",
      "tag",
      "build environment",
      "tag",
      "readConfig",
      "build layering steps",
      "readConfig",
      "removeImages",
    ]);
    expect(steps).toEqual(["Environment", "Layering steps", "Collecting layers"]);
    expect(result).toMatchObject({
      names: ["localhost/app:latest"],
      upToDate: false,
      layers: [{ name: "file", status: "new" }],
    });
  });

  test("nothing changed: queries alone", async ({ directory }) => {
    const first = await record(directory);
    const second = await record(directory);
    expect(outline(second.recording.calls)).toEqual(["findImage"]);
    expect(second.result).toMatchObject({ upToDate: true, digest: first.result.digest });
    expect(second.result.layers.map((layer) => layer.status)).toEqual(["kept"]);
  });

  test("--no-cache: all calls, the same image", async ({ directory }) => {
    const first = await record(directory);
    const second = await record(directory, { steps: { noCache: true } });
    expect(second.recording.builds.map((build) => build.noCache)).toEqual([true, true, true]);
    expect(second.result).toMatchObject({ upToDate: false, digest: first.result.digest });
    expect(second.result.layers.map((layer) => layer.status)).toEqual(["equal"]);
  });

  test("another base image: all is built again", async ({ directory }) => {
    await record(directory);
    const other = new Map([["base", digestBytes(Buffer.from("other"))]]);
    const second = await record(directory, {}, { images: other });
    expect(second.recording.builds).toHaveLength(3);
  });

  test.each([
    ["stage tool", ["build stage tool"], 2],
    ["environment", ["build stage tool", "tag", "build environment"], 3],
    [
      "layering steps",
      ["build stage tool", "tag", "build environment", "tag", "readConfig", "build layering steps"],
      4,
    ],
  ])("%s fails: nothing more is built, and all is cleaned up", async (purpose, before, names) => {
    await withTemporaryDirectory(async (made) => {
      await mkdir(join(made, "context"));
      const { request, plan } = planBuild(text, made);
      const recording = createRecordingEngine({ images, failing: { purpose, exitStatus: 7 } });
      const work = await createWorkspace(recording.engine, made);
      await expect(buildImage(plan, request, work)).rejects.toMatchObject({
        code: "step-failed",
        exitStatus: 7,
      });
      expect(outline(recording.calls)).toEqual([
        "findImage",
        "readConfig",
        "tag",
        ...before,
        "removeContainers",
        "removeImages",
      ]);
      expect(recording.calls.at(-1)?.[1]).toHaveLength(names);
      expect(await readdir(join(work.store.directory, "tmp"))).toEqual([]);
      expect(await validateLayout(work.store.directory)).toEqual([]);
    });
  });
});

const baseName = /localhost\/xbuild-run-[0-9a-f]{16}-base0:latest$/;
const runName = /localhost\/xbuild-run-[0-9a-f]{16}:latest$/;
const stageName = /localhost\/xbuild-run-[0-9a-f]{16}-stage0:latest$/;

/** The ID that the recording engine gives to what it was asked to build. */
function identify(build: BuildCall | undefined): string | undefined {
  return build && digestBytes(Buffer.from(`${build.purpose}\n${build.text}`));
}

describe("what the calls are given", () => {
  test("modes, names, texts and mounts", async ({ directory }) => {
    const { recording } = await record(directory);
    const [tool, environment, layering] = recording.builds;
    expect(tool).toMatchObject({
      mode: "cached",
      mounts: [],
      text: expect.stringMatching(
        /^FROM localhost\/xbuild-run-\S+-base0:latest AS tool\nLABEL io\.xbuild\.inputs=[0-9a-f]{32}\nRUN make tool\n$/,
      ),
    });
    expect(environment).toMatchObject({ mode: "cached", mounts: [] });
    expect(environment?.text).not.toContain("OUTPUT");
    expect(environment?.text.trimEnd().endsWith("COPY . /src")).toBe(true);
    // Named by tag calls, and not by the builds.
    expect([tool?.names, environment?.names]).toEqual([[], []]);
    const cacheName = expect.stringMatching(/^localhost\/xbuild-env:[0-9a-f]{16}$/);
    const tags = recording.calls.filter(([name]) => name === "tag");
    expect(tags).toEqual([
      ["tag", baseId, [expect.stringMatching(baseName)]],
      ["tag", identify(tool), [cacheName, expect.stringMatching(stageName)]],
      ["tag", identify(environment), [cacheName, expect.stringMatching(runName)]],
    ]);
    expect(layering).toMatchObject({
      mode: "single",
      names: [expect.stringMatching(/^localhost\/xbuild-config-[0-9a-f]{16}:latest$/)],
    });
    expect(layering?.mounts).toEqual([
      { source: expect.any(String), target: "/layers", readOnly: true },
      { source: expect.any(String), target: "/layers/output", readOnly: false },
    ]);
    const toolId = identify(tool)?.slice(7);
    expect(layering?.text).toContain(`COPY --from=${toolId} /tool /tool`);
    expect(layering?.text).toContain(`RUN --mount=from=${toolId},target=/mnt build it`);
    const bases = layering?.text.match(/^FROM \S+/gm);
    // Nobody who writes to the engine's log knows what the last stage is called.
    expect(layering?.text).toMatch(/^FROM \S+ AS xbuild-last-[0-9a-f]{32}$/m);
    expect(bases).toEqual([expect.stringMatching(runName), expect.stringMatching(runName)]);
    expect(new Set(bases).size).toBe(1);
  });

  test("arguments where they are declared, contexts and flags everywhere", async ({
    directory,
  }) => {
    const { recording } = await record(directory, {
      steps: {
        buildArgs: new Map([
          ["A", "a"],
          ["LATER", "later"],
          ["UNKNOWN", "u"],
        ]),
        buildContexts: new Map([["other", directory]]),
        platform: "linux/amd64",
        flags: {
          step: ["--network=none"],
          access: ["--secret=id=s,src=x"],
          cache: ["--jobs=2"],
          pull: [],
        },
      },
    });
    const [, environment, layering] = recording.builds;
    expect([...(environment?.buildArgs.keys() ?? [])]).toEqual(["A", "UNKNOWN"]);
    expect([...(layering?.buildArgs.keys() ?? [])]).toEqual(["A", "LATER"]);
    for (const build of recording.builds) {
      expect(build.platform).toBe("linux/amd64");
      expect(build.flags).toEqual(
        expect.arrayContaining([
          `--build-context=other=${directory}`,
          "--network=none",
          "--secret=id=s,src=x",
        ]),
      );
    }
    expect(environment?.flags).toContain("--jobs=2");
    expect(layering?.flags).not.toContain("--jobs=2");
  });

  test("an epoch: an argument of the layering steps; --timestamp: a flag of the cached calls", async ({
    directory,
  }) => {
    const { recording, result } = await record(directory, {
      steps: { epoch: 1_700_000_000, timestamp: true },
    });
    const [, environment, layering] = recording.builds;
    expect(environment?.flags).toContain("--timestamp=1700000000");
    expect(environment?.buildArgs.has("SOURCE_DATE_EPOCH")).toBe(false);
    expect(layering?.buildArgs.get("SOURCE_DATE_EPOCH")).toBe("1700000000");
    expect(layering?.text).toContain("ARG SOURCE_DATE_EPOCH\n");
    expect(result.layers).toHaveLength(1);
  });

  test.each([
    ["missing", undefined, ["findImage", "pull", "findImage"]],
    ["missing", baseId, ["findImage"]],
    ["always", baseId, ["findImage", "pull", "findImage"]],
    ["newer", baseId, ["findImage", "pull", "findImage"]],
    ["never", baseId, ["findImage"]],
  ] as const)("--pull=%s with the base at %s", async (pull, id, expected) => {
    await withTemporaryDirectory(async (made) => {
      await mkdir(join(made, "context"));
      const { request, plan } = planBuild(text, made, { steps: { pull } });
      const recording = createRecordingEngine(id === undefined ? {} : { images });
      const work = await createWorkspace(recording.engine, made);
      await buildImage(plan, request, work).catch(() => undefined);
      expect(outline(recording.calls).slice(0, expected.length)).toEqual(expected);
      expect(outline(recording.calls)[expected.length]).toBe(
        id === undefined ? undefined : "readConfig",
      );
    });
  });
});

/** Writes a layer, and puts another file in the place of an input blob: the blob itself is shared with the store. */
async function spoilInput(output: string, build: BuildCall): Promise<void> {
  await writeLayer(output);
  const root = build.mounts.find((mount) => mount.readOnly)?.source ?? "";
  const blobs = join(root, "input", "blobs", "sha256");
  const [blob = ""] = await readdir(blobs);
  await rm(join(blobs, blob));
  await writeFile(join(blobs, blob), "spoiled");
}

describe("what the layering steps wrote", () => {
  test("input that was changed is refused, and the name keeps its image", async ({ directory }) => {
    const first = await record(directory);
    await expect(
      record(directory, { steps: { noCache: true } }, { writeOutput: spoilInput }),
    ).rejects.toMatchObject({ code: "input-changed" });
    const { findImage } = await import("../../src/store/images/images.ts");
    const { openStore } = await import("../../src/store/layout/open.ts");
    const store = await openStore(join(directory, "store"));
    expect((await findImage(store, "localhost/app:latest"))?.digest).toBe(first.result.digest);
    // The blob may have been the store's own file: it is dropped, and made anew.
    const again = await record(directory);
    expect(again.result.upToDate).toBe(false);
    expect(await readdir(join(store.directory, "blobs", "sha256"))).toContain(
      digestHex(again.result.layers[0]?.digest ?? "sha256:"),
    );
  });

  test("the engine's own additions are no part of the config", async ({ directory }) => {
    const config = {
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
      config: {
        Hostname: "abc",
        Env: ["PATH=/bin", "RESULT=1", "BEFORE=x"],
        Labels: { "io.buildah.version": "1.28.2" },
        WorkingDir: "/",
      },
    };
    const { result } = await record(directory, {}, { config });
    expect(result.upToDate).toBe(false);
    const { findImage } = await import("../../src/store/images/images.ts");
    const { openStore } = await import("../../src/store/layout/open.ts");
    const image = await findImage(
      await openStore(join(directory, "store")),
      "localhost/app:latest",
    );
    expect(image?.config.config).toEqual({ Env: ["RESULT=1"] });
  });
});
