import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, runXbuild } from "../support/xbuild.ts";

// The previous image that people mean: the last build of the same file, under whatever tag, and of the tags that are pushed.

const sandbox = useSandbox();
const service = useRegistry();

/** A layer for each line of `packages`, which says its content, too. */
const text = `FROM ${baseImage}
OUTPUT /layers
COPY packages /packages
RUN mkdir /made; while read -r name; do \\
      /layers/bin/layer keep "$name" && continue; \\
      echo "$name" > "/made/$name"; /layers/bin/layer add "$name" -C /made "$name"; \\
    done < /packages; mkdir /layers/output/state; cp /packages /layers/output/state/; \\
    echo "state: $(tail -n 1 /layers/input/state/packages 2>/dev/null)."
`;

/** Ten packages, of which one is the round's own, and one is another than in the round before: two layers change. */
function listPackages(round: number): readonly string[] {
  const all = Array.from({ length: 9 }, (_, index) =>
    index === round % 9 ? `p${index}-${round}` : `p${index}-${lastChange(index, round)}`,
  );
  return [...all, `all-${round}`];
}

/** The last round before this one in which a package changed. */
function lastChange(index: number, round: number): number {
  const rounds = Array.from({ length: round }, (_, one) => one);
  return rounds.findLast((one) => one % 9 === index) ?? 0;
}

const rounds = Array.from({ length: 10 }, (_, index) => index + 1);

/** Writes a project. @returns its directory */
async function writeProject(name: string, packages: readonly string[]): Promise<string> {
  const context = join(sandbox.directory, name);
  await mkdir(context, { recursive: true });
  await writeFile(join(context, "Containerfile.x"), text);
  await writeFile(join(context, "packages"), packages.map((one) => `${one}\n`).join(""));
  return context;
}

function build(
  context: string,
  args: readonly string[],
  options: { readonly store: string },
): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, ["--no-load", ...args], options);
}

const storeOf = (name: string): string => join(sandbox.directory, `store-${name}`);

/** How many layers of the ten are kept. */
function countKept({ layers }: MachineBuild): number {
  return layers.filter((layer) => layer.endsWith(" kept")).length;
}

describe("ten builds, a package of each changed", () => {
  test.each([
    ["each with a tag of its own", (round: number) => ["-t", `app:v${round}`]],
    ["none with a tag", () => []],
  ])("%s", async (title, tags) => {
    const name = `series-${title.length}`;
    const kept: number[] = [];
    for (const round of rounds) {
      const context = await writeProject(name, listPackages(round));
      const built = await build(context, tags(round), { store: storeOf(name) });
      kept.push(countKept(built));
      if (round > 1) expect(built.stdout).toContain(`state: all-${round - 1}.`);
    }
    expect(kept).toEqual([0, ...Array<number>(9).fill(8)]);
  });

  test("each on a machine that has nothing, its commit's tag and main's pushed", async () => {
    await configureAccess(sandbox.directory, service.proxy);
    const image = `${service.proxy.host}/team/series`;
    const kept: number[] = [];
    for (const round of rounds) {
      const context = await writeProject("pushed", listPackages(round));
      const tags = ["-t", `${image}:sha-${round}`, "-t", `${image}:main`, "--push"];
      kept.push(countKept(await buildOnFreshMachine(sandbox, context, tags)));
    }
    expect(kept).toEqual([0, ...Array<number>(9).fill(8)]);
  });
});
