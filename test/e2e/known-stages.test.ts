import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testEngine } from "../support/engine.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// What stands before OUTPUT, and stages that the layering steps read: the store knows what they came to.

const sandbox = useSandbox();

const file = `FROM ${baseImage} AS data
COPY data /data
FROM ${baseImage}
ARG BEFORE=none
COPY tool /tool
RUN echo "$BEFORE $(cat /tool)" > /made
OUTPUT /layers
ARG BEHIND=none
COPY --from=data /data /data
COPY extra /extra
RUN echo $BEHIND >> /extra && /layers/bin/layer add all -C / made data extra
`;

async function start(): Promise<Project> {
  return sandbox.project({ "Containerfile.x": file, data: "1\n", tool: "1\n", extra: "1\n" });
}

/** Calls of `build`: the layering steps' is the last. */
async function count(project: Project, args: readonly string[] = []): Promise<number> {
  const { builds } = await project.build(["--no-load", ...args]);
  return builds.length;
}

/** What a build with so many calls had in these files. */
async function read(project: Project, calls: number): Promise<readonly string[]> {
  const { builds, image } = await project.build(["--no-load"]);
  expect(builds).toHaveLength(calls);
  return Promise.all(["made", "data"].map((name) => readFile(join(image.files, name), "utf8")));
}

test("is evaluated where it changed, and not where something else did", async () => {
  const project = await start();
  expect(await count(project)).toBe(3);
  await project.write({ extra: "2\n" });
  expect(await count(project)).toBe(1);
  expect(await count(project, ["--build-arg=BEHIND=told"])).toBe(1);
  await project.write({ data: "2\n" });
  expect(await count(project)).toBe(2);
  expect(await count(project, ["--build-arg=BEFORE=told"])).toBe(2);
  await project.write({ tool: "2\n" });
  expect(await read(project, 2)).toEqual(["none 2\n", "2\n"]);
  // As it was once: its image is still there.
  await project.write({ tool: "1\n", data: "1\n", extra: "3\n" });
  expect(await read(project, 1)).toEqual(["none 1\n", "1\n"]);
});

test("is made anew where its image is gone, and with --no-cache", async () => {
  const project = await start();
  expect(await count(project)).toBe(3);
  const names = await sandbox.exec(testEngine, "images", "--format", "{{.Name}}:{{.Tag}}");
  const environments = names.split("\n").filter((name) => name.includes("/xbuild-env"));
  await sandbox.exec(testEngine, "rmi", "--force", ...environments);
  await project.write({ extra: "2\n" });
  expect(await count(project)).toBe(3);
  await project.write({ extra: "3\n" });
  expect(await count(project)).toBe(1);
  expect(await count(project, ["--no-cache"])).toBe(3);
});
