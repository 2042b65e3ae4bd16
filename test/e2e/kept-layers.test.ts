import { join } from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

// What the helper keeps unread is what this build's files are, whatever image has layers of the same names.

const sandbox = useSandbox();

const each = `FROM ${baseImage}
OUTPUT /layers
RUN --mount=type=bind,target=/src /layers/bin/layer each --name '{/}' /src/pkgs/*/.
`;

/** Builds the project all anew, and gives what the file says in its image. */
async function read(project: Project, ...args: readonly string[]): Promise<string> {
  const tar = join(sandbox.directory, `${project.name.replaceAll(/\W/g, "-")}.tar`);
  await project.build(["--no-cache", ...args, "-o", `type=tar,dest=${tar}`]);
  return sandbox.exec("tar", "-xOf", tar, "f");
}

const feature = "localhost/feature:latest";

/** Two contexts of one store, the second one's image named `feature`. */
async function buildBoth(): Promise<Project> {
  const project = await sandbox.project({ "Containerfile.x": each, "pkgs/a/f": "main\n" });
  const other = await sandbox.project({ "Containerfile.x": each, "pkgs/a/f": "feature\n" });
  expect(await read(project)).toBe("main");
  assertStatus(await project.run(["--no-load", "-t", feature, other.context]), 0);
  return project;
}

test("an image of others that --cache-from names", async () => {
  const project = await buildBoth();
  expect(await read(project, "--cache-from", feature)).toBe("main");
  expect(await read(project)).toBe("main");
});

test("an image of others that got the name", async () => {
  const project = await buildBoth();
  assertStatus(await project.run(["tag", feature, project.name]), 0);
  expect(await read(project)).toBe("main");
});

test("an image of the same name that a build without state made", async () => {
  const step = "RUN mkdir /o && echo added > /o/f && /layers/bin/layer add a -C /o .\n";
  const project = await sandbox.project({ "Containerfile.x": each, "pkgs/a/f": "main\n" });
  await project.build(["--no-load"]);
  await project.write({ "Containerfile.x": each.replace(/RUN.*/s, step) });
  await project.build(["--no-load"]);
  await project.write({ "Containerfile.x": each });
  expect(await read(project)).toBe("main");
});

test("layers that did not change are kept, by the build that made them", async () => {
  const project = await sandbox.project({
    "Containerfile.x": each,
    "pkgs/a/f": "a\n",
    "pkgs/b/f": "b\n",
  });
  await project.build(["--no-load"]);
  await project.write({ "pkgs/b/f": "B\n" });
  expect((await project.build(["--no-load"])).layers).toEqual(["a kept", "b new"]);
  const again = await project.build(["--no-load", "--no-cache"]);
  expect(again.layers[0]).toBe("a kept");
});
