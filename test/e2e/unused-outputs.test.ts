import { join } from "node:path";
import { expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

// An OUTPUT that the target does not use is told of, once, and nothing else changes.

const sandbox = useSandbox();

const step = "OUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n";
const text = `FROM ${baseImage} AS a
${step}FROM ${baseImage} AS b
${step}FROM ${baseImage} AS c
${step}FROM ${baseImage} AS plain
LABEL a=b
`;

function listWarnings(stderr: string): readonly string[] {
  return stderr.split("\n").filter((line) => line.includes("[output-unused]"));
}

test("a target with OUTPUT, and one without, which the engine builds: quiet as ever", async () => {
  const project = await sandbox.project({ "Containerfile.x": text });
  const words = ["-q", "--no-load", "-t", project.name, project.context];
  const own = await project.run(["--target=b", ...words]);
  assertStatus(own, 0);
  expect(own.stdout).toMatch(/^[0-9a-f]{64}\n$/);
  expect(listWarnings(own.stderr)).toEqual([
    expect.stringMatching(
      /Containerfile\.x:2:8: warning\[output-unused\]: the target does not use the stage a, so this OUTPUT makes no image; neither does that in line 8$/,
    ),
  ]);
  const plain = await project.run(["-q", "-t", project.name, project.context]);
  assertStatus(plain, 0);
  expect(plain.stdout).toMatch(/^[0-9a-f]{64}\n$/);
  expect(listWarnings(plain.stderr)).toHaveLength(1);
});

test("of several targets what none uses, once", async () => {
  const project = await sandbox.project({ "Containerfile.x": text });
  const both = ["--target=a", "--target=b", "--jobs=2", "--no-load", project.context];
  const built = await project.run(both);
  assertStatus(built, 0);
  expect(listWarnings(built.stderr)).toEqual([
    expect.stringMatching(/:8:8: .* no target uses the stage c, so this OUTPUT makes no image$/),
  ]);
  const all = await project.run(["--target=c", ...both]);
  assertStatus(all, 0);
  expect(listWarnings(all.stderr)).toEqual([]);
});

function target(name: string, context: string) {
  return [name, { context, target: name }] as const;
}

test("so with the targets of a bake file, where they have the same Containerfile", async () => {
  const project = await sandbox.project({
    "Containerfile.x": text,
    "other/Containerfile.x": text,
  });
  const targets = Object.fromEntries([target("a", "."), target("b", "."), target("c", "other")]);
  const group = { default: { targets: Object.keys(targets) } };
  await project.write({ "docker-bake.json": JSON.stringify({ group, target: targets }) });
  const outcome = await project.run(["bake"], { cwd: project.context });
  assertStatus(outcome, 0);
  expect(listWarnings(outcome.stderr)).toEqual([
    expect.stringMatching(/^Containerfile\.x:8:8: .* no target uses the stage c,/),
    expect.stringMatching(/^other\/Containerfile\.x:2:8: .* the target does not use the stage a,/),
  ]);
});

test("check tells it of each", async () => {
  const project = await sandbox.project({ "Containerfile.x": text });
  const check = (...words: string[]) =>
    project.run(["check", ...words, join(project.context, ".")]);
  expect(listWarnings((await check("--target=b")).stdout)).toHaveLength(2);
  expect(listWarnings((await check("--target=b", "--target=a", "--target=c")).stdout)).toEqual([]);
});
