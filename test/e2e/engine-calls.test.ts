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

/**
 * What each call is, without flags and names. Which flags the engine knows is asked for once for each of its versions, and
 * where its storage is once for each of its settings.
 */
function outline({ calls }: Built): readonly string[] {
  return calls
    .filter((call) => !isRemembered(call))
    .map((call) => {
      const [program = "", ...words] = call.split(" ");
      return `${program} ${words.find((word) => /^[a-z]+$/.test(word)) ?? ""}`;
    });
}

function isRemembered(call: string): boolean {
  return call.endsWith(" build --help") || call === "buildah info";
}

const steps = ["buildah tag", "buildah build", "buildah rmi"];

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
      return outline(await project.build(args));
    }

    test("a first build, nothing changed, then loaded", async () => {
      const first = kind === "bare" ? steps : [...made, ...steps];
      // The first build of all does not know where the storage is, and asks for the base's name and config.
      const asked = kind === "bare" ? ["buildah inspect", "skopeo inspect"] : [];
      expect(await callsOf(["--no-load"])).toEqual([...asked, ...first]);
      expect(await callsOf(["--no-load"])).toEqual([]);
      // A name that the storage's list does not have may be one that the engine finds elsewhere.
      expect(await callsOf()).toEqual(["buildah inspect", "skopeo copy"]);
      expect(await callsOf()).toEqual([]);
    });

    test("one thing changed, into the store and loaded", async () => {
      await project.write({ file: "1\n" });
      expect(await callsOf(["--no-load"])).toEqual([...later, ...steps]);
      await project.write({ file: "2\n" });
      expect(await callsOf()).toEqual([...later, ...steps, "skopeo copy"]);
    });
  },
);

test.skipIf(testEngine !== "buildah")("where the storage is is asked for once", async () => {
  const project = await sandbox.project({ "Containerfile.x": files.bare, file: "other\n" });
  const again = await sandbox.project({ "Containerfile.x": files.environment, file: "again\n" });
  const env = { HOME: project.context };
  expect(countInfos(await project.build(["--no-load"], { env }))).toBe(1);
  expect(countInfos(await again.build(["--no-load"], { env }))).toBe(0);
});

function countInfos({ calls }: Built): number {
  return calls.filter((one) => one === "buildah info").length;
}
