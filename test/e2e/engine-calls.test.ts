import { beforeAll, describe, expect, test } from "vitest";
import { testEngine } from "../support/engine.ts";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Which programs of the engine a build starts, of buildah: docs/benchmarks.md says why each is needed.

const sandbox = useSandbox();

const layering = `OUTPUT /layers
COPY file /file
RUN /layers/bin/layer add file /file
`;
const files = {
  bare: `FROM ${baseImage}\n${layering}`,
  environment: `FROM ${baseImage}\nRUN echo tool > /tool\n${layering}`,
};

/** What each call is, without flags and names. Which flags the engine knows is asked for once for each of its versions. */
function outline({ calls }: Built): readonly string[] {
  const others = calls.filter((call) => !call.endsWith(" build --help"));
  return others.map((call) => {
    const [program = "", ...words] = call.split(" ");
    return `${program} ${words.find((word) => /^[a-z]+$/.test(word)) ?? ""}`;
  });
}

const steps = ["buildah tag", "buildah build", "skopeo inspect", "buildah rmi"];
const load = ["buildah inspect", "skopeo copy", "buildah inspect"];

/** For steps before OUTPUT: their image the first time, and a name for it. */
const environments = {
  bare: { first: [], later: [] },
  environment: { first: ["buildah tag", "buildah build"], later: ["buildah tag"] },
};

describe.skipIf(testEngine !== "buildah").each(Object.entries(environments))(
  "%s",
  (kind, { first: made, later }) => {
    let project: Project;

    beforeAll(async () => {
      const text = kind === "bare" ? files.bare : files.environment;
      project = await sandbox.project({ "Containerfile.x": text, file: "0\n" });
    });

    async function callsOf(args: readonly string[] = []): Promise<readonly string[]> {
      const [first, ...calls] = outline(await project.build(args));
      // What the base's name stands for.
      expect(first).toBe("buildah inspect");
      return calls;
    }

    test("a first build, nothing changed, then loaded", async () => {
      // Configs are asked for once: the base's, and that of the environment.
      const first =
        kind === "bare" ? steps : [...made, "buildah tag", "skopeo inspect", ...steps.slice(1)];
      expect(await callsOf(["--no-load"])).toEqual(["skopeo inspect", ...first]);
      expect(await callsOf(["--no-load"])).toEqual([]);
      expect(await callsOf()).toEqual(load);
      expect(await callsOf()).toEqual(["buildah inspect"]);
    });

    test("one thing changed, into the store and loaded", async () => {
      await project.write({ file: "1\n" });
      expect(await callsOf(["--no-load"])).toEqual([...later, ...steps]);
      await project.write({ file: "2\n" });
      expect(await callsOf()).toEqual(["buildah inspect", ...later, ...steps, ...load]);
    });
  },
);
