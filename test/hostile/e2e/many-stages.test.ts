import { expect, test } from "vitest";
import { chooseCount } from "../../support/counts.ts";
import { listLeftovers } from "../../support/leftovers.ts";
import { afterWords } from "../../support/engine.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { listReasons, listRunSorted } from "../../support/stages.ts";
import { assertStatus } from "../../support/xbuild.ts";

// Many stages at once, long chains of them, and several builds of one file.

const sandbox = useSandbox();

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function addFile(name: string | number, content: string | number = name): string {
  return `RUN echo ${content} > /f${name} && /layers/bin/layer add f${name} -C / f${name}\n`;
}

function renderStages(count: number): string {
  const stages = numbers(count).map((n) => `FROM env AS s${n}\nOUTPUT /layers\n${addFile(n)}`);
  const from = numbers(count).map((n) => `--from=s${n}`);
  const env = `FROM ${baseImage} AS env\nRUN echo env has r''un; ${afterWords}\n`;
  return `${env}${stages.join("")}FROM env AS last\nOUTPUT ${from.join(" ")} /layers\nRUN true\n`;
}

const atOnce = chooseCount(30);

test(`${atOnce} stages with --jobs 0: a change of one is one new layer`, async () => {
  const text = renderStages(atOnce);
  const project = await sandbox.project({ "Containerfile.x": text });
  const all = numbers(atOnce).map((n) => `s${n}`);
  const first = await project.build(["--no-load", "--jobs=0"]);
  expect(listRunSorted(first)).toEqual(["env", "last", ...all].sort());
  expect(first.stdout.match(/env has run$/gm)).toHaveLength(1);
  await project.write({ "Containerfile.x": text.replace(addFile(2), addFile(2, "other")) });
  const changed = await project.build(["--no-load", "--jobs=0"]);
  // The engine has all steps of the shared one.
  expect(listRunSorted(changed).filter((name) => name !== "env")).toEqual(["last", "s2"]);
  expect(changed.stdout).not.toMatch(/env has run$/m);
  const [before, now] = [first, changed].map(({ metadata }) => metadata.layers);
  expect(now?.map(({ digest }, index) => digest === before?.[index]?.digest)).toEqual(
    all.map((name) => name !== "s2"),
  );
});

const inChain = chooseCount(40);

test(`a chain of ${inChain} stages: where the first comes out equal no other is built`, async () => {
  const stages = numbers(inChain).map((n) => {
    const from = n === 1 ? "" : `--from=s${n - 1} `;
    return `FROM ${baseImage} AS s${n}\nOUTPUT ${from}/layers\n${addFile(n)}`;
  });
  const text = stages.join("");
  const project = await sandbox.project({ "Containerfile.x": text });
  const first = await project.build(["--no-load", "--jobs=0"]);
  expect(first.layers).toEqual(numbers(inChain).map((n) => `f${n} new`));
  await project.write({ "Containerfile.x": text.replace(addFile(1), `${addFile(1)}RUN true\n`) });
  const changed = await project.build(["--no-load", "--jobs=0"]);
  expect(listRunSorted(changed)).toEqual(["s1"]);
  expect(changed.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
});

test("two builds of one file at once come to whole images, and leave nothing", async () => {
  const onTop = `FROM s1 AS top\nCOPY --from=s2 /f2 /copied\nFROM ${baseImage}\nOUTPUT --from=s3 --from=top /layers\nRUN true\n`;
  const text = `${renderStages(3)}${onTop}`;
  const project = await sandbox.project({ "Containerfile.x": text });
  for (const args of [[], ["--no-cache"]]) {
    const builds = [1, 2].map((n) => {
      const words = [`--no-load`, "--jobs=0", "-t", `localhost/at-once-${n}`, ...args];
      return project.start(words).ended;
    });
    for (const outcome of await Promise.all(builds)) assertStatus(outcome, 0);
    expect(await listLeftovers(sandbox, project.store)).toEqual([]);
  }
  // One may have been the last with a stage, and the other with what uses it, which is then built once more.
  const reasons = listReasons(await project.build(["--no-load", "--explain"]));
  for (const one of reasons) expect(one).toContain("a stage that it uses was made anew");
  const built = await project.build(["--no-load"]);
  expect(built.builds).toEqual([]);
  expect(built.layers[0]).toBe("f3 kept");
});
