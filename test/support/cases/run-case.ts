import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { testSeed } from "../counts.ts";
import type { Metadata } from "../project.ts";
import { runXbuild } from "../xbuild.ts";
import type { Sandbox } from "../sandbox.ts";
import { describeImage, listDifferences } from "./compare.ts";
import type { Case } from "./generate.ts";
import { containerfilePath, placeWorld } from "./place.ts";
import type { World } from "./world.ts";

/** How the three builds of a case ended. */
export interface CaseResult {
  /** What the build with the cache has, or that of `--no-cache`, and the other has not. */
  readonly differences: readonly string[];
  /** Whether the change made another image, in truth. */
  readonly isChanged: boolean;
  readonly isUpToDate: boolean;
}

/** Builds, changes one thing, builds again; and builds as one does who has no cache and no image before. */
export async function runCase(sandbox: Sandbox, one: Case): Promise<CaseResult> {
  const directory = join(sandbox.directory, `case-${one.number}`);
  const build = buildCase(sandbox, directory, one);
  await placeWorld({ sandbox, directory }, one.world);
  const first = await build(one.world, "store");
  const changed = one.change.apply(one.world);
  await placeWorld({ sandbox, directory }, changed, {
    before: one.world,
    keepsTimes: one.change.keepsTimes === true,
  });
  const cached = await build(changed, "store");
  const fresh = await build(changed, "fresh", "--no-cache");
  await rm(directory, { recursive: true });
  return {
    differences: listDifferences(cached.facts, fresh.facts),
    isChanged: listDifferences(first.facts, fresh.facts).length > 0,
    isUpToDate: cached.isUpToDate,
  };
}

interface CaseBuild {
  readonly facts: readonly string[];
  readonly isUpToDate: boolean;
}

function buildCase(
  sandbox: Sandbox,
  directory: string,
  { number }: Case,
): (world: World, store: string, ...flags: readonly string[]) => Promise<CaseBuild> {
  return async (world, name, ...more) => {
    const store = join(directory, name);
    const metadata = join(directory, "metadata.json");
    const args = [
      "build",
      ...more,
      "--no-load",
      `--tag=case-${number}`,
      `--metadata-file=${metadata}`,
      `--file=${containerfilePath(directory, world)}`,
      ...world.flags.map((flag) => flag.replace(/@([\w-]+)@/g, (_, of) => join(directory, of))),
      join(directory, "context"),
    ];
    const env = { ...world.environment, XBUILD_STORE: store };
    const { status, stdout, stderr } = await runXbuild(sandbox, args, { env });
    if (status !== 0) {
      throw new Error(`exit status ${status}: xbuild ${args.join(" ")}\n${stdout}\n${stderr}`);
    }
    const document: Metadata = JSON.parse(await readFile(metadata, "utf8"));
    const facts = await describeImage(store, document, isExact(world));
    return { facts, isUpToDate: document.upToDate };
  };
}

/** Whether all times are fixed, so that every bit can be compared. */
function isExact({ flags }: World): boolean {
  return flags.some((flag) => flag.startsWith("--timestamp="));
}

/** What a case is, and how to run it alone. */
export function renderCase(one: Case): string {
  const { world, number } = one;
  const seed = testSeed;
  return [
    `case ${number} of seed ${seed}: ${one.read}; changed: ${one.changed} (${one.change.effect})`,
    `flags: ${world.flags.join(" ")}`,
    ...Object.entries(world.images).map(
      ([name, { text, directory }]) => `image ${name} of @${directory}@:\n${indent(text)}`,
    ),
    `Containerfile${world.isInside ? " in the context" : ""}:`,
    indent(world.containerfile),
    "changed:",
    ...listDifferences(listFacts(world), listFacts(one.change.apply(world))).map((line) =>
      line.replace("with the cache:", "- ").replace("--no-cache:     ", "+ "),
    ),
    `again: XBUILD_TEST_SEED=${seed} XBUILD_TEST_CASE=${number} npm test -- test/hostile/e2e/no-cache.test.ts`,
  ].join("\n");
}

function listFacts(world: World): readonly string[] {
  const files = Object.entries(world.directories).flatMap(([directory, tree]) =>
    Object.entries(tree).map(([path, node]) => `@${directory}@/${path} ${JSON.stringify(node)}`),
  );
  const images = Object.values(world.images).flatMap(({ text }) => text.split("\n"));
  const environment = Object.entries(world.environment).map(([name, value]) => `${name}=${value}`);
  return [...files, ...images, ...environment, ...world.flags, ...world.containerfile.split("\n")];
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, "    ");
}
