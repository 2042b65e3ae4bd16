import { join } from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, type Outcome } from "../support/xbuild.ts";

const sandbox = useSandbox();

const text = `FROM ${baseImage}
COPY . /src
OUTPUT /layers
RUN /layers/bin/layer add passwd /etc/passwd && /layers/bin/layer add app /src/hello
`;

/** A project's context as a repository. */
async function git(project: Project, ...words: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  return sandbox.exec("git", "-C", project.context, ...identity, ...words);
}

async function commit(project: Project): Promise<void> {
  await git(project, "add", "--all");
  await git(project, "commit", "--quiet", "--allow-empty", "-m", "a commit");
}

async function build(project: Project, rest: string, status = 0): Promise<Outcome> {
  const outcome = await project.run(["-t", project.name, `file://${project.context}${rest}`]);
  assertStatus(outcome, status);
  return outcome;
}

test("a repository is up to date by its content, and a commit that changes it keeps layers", async () => {
  const project = await sandbox.project({
    Containerfile: text,
    hello: "one\n",
    "sub/Containerfile": text,
    "sub/hello": "sub\n",
  });
  await git(project, "init", "--quiet", "--initial-branch=main");
  await commit(project);
  await git(project, "tag", "v1");
  expect((await build(project, "")).stdout).toContain(": 2 new (");
  const digest = await project.findDigest();
  expect(await build(project, "#v1")).toMatchObject({ builds: [] });
  // Another commit of the same tree.
  await commit(project);
  const same = await build(project, "#main");
  expect(same).toMatchObject({ builds: [] });
  expect(same.stdout).toContain("Up to date");
  await project.write({ hello: "two\n" });
  await commit(project);
  expect((await build(project, "")).stdout).toMatch(/: 1 changed, 1 kept \(/);
  expect(await project.findDigest()).not.toBe(digest);
  expect(await build(project, "#v1")).toMatchObject({ builds: [] });
  expect(await project.findDigest()).toBe(digest);
  expect((await build(project, "#:sub")).stdout).toContain(": 1 changed, 1 kept (");
  const outcome = await build(project, "#nowhere", 1);
  expect(outcome.stderr).toContain("error[context-unavailable]");
});

test("without OUTPUT the engine clones by itself", async () => {
  const project = await sandbox.project({ Containerfile: `FROM ${baseImage}\n` });
  await git(project, "init", "--quiet", "--initial-branch=main");
  await commit(project);
  const address = `file://${join(project.context)}`;
  const outcome = await project.run(["-t", project.name, address]);
  expect(outcome.builds.filter((call) => call.endsWith(` ${address}`))).toHaveLength(1);
});
