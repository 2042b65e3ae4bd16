import { mkdir, symlink, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { afterWords } from "../support/engine.ts";
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
    echo "state: $(tail -n 1 /layers/input/state/packages 2>/dev/null)."; \\
    tr ',{' '\\n\\n' < /layers/history.json | sed -n 's/^ *"image": *"\\([^"]*\\)".*/found \\1/p'; \\
    ${afterWords}
`;

/** Ten packages: one is another than in the round before, and one is new in each. */
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

/** Builds with a store that may have something. */
function build(context: string, args: readonly string[], store: string): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, ["--no-load", ...args], { store });
}

beforeAll(() => configureAccess(sandbox.directory, service.proxy));

const storeOf = (name: string): string => join(sandbox.directory, `store-${name}`);

/** How many layers of the ten are kept. */
function countKept({ layers }: MachineBuild): number {
  return layers.filter((layer) => layer.endsWith(" kept")).length;
}

describe("ten builds, a package of each changed", () => {
  test("each with a tag of its own", async () => {
    const kept: number[] = [];
    const states: string[] = [];
    for (const round of rounds) {
      const context = await writeProject("series", listPackages(round));
      const built = await build(context, ["-t", `app:v${round}`], storeOf("series"));
      kept.push(countKept(built));
      states.push(/^state: (.*)$/m.exec(built.stdout)?.[1] ?? "");
    }
    expect(states).toEqual([".", ...rounds.slice(0, -1).map((round) => `all-${round}.`)]);
    expect(kept).toEqual([0, ...Array<number>(9).fill(8)]);
  });

  test("none with a tag", async () => {
    const kept: number[] = [];
    for (const round of rounds.slice(0, 4)) {
      const context = await writeProject("unnamed", listPackages(round));
      kept.push(countKept(await build(context, [], storeOf("unnamed"))));
    }
    expect(kept).toEqual([0, 8, 8, 8]);
  });

  test("each on a machine that has nothing, its commit's tag and main's pushed", async () => {
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

/** The references of the previous images, the history's first, as the build itself finds them; digests left out. */
function listFound({ stdout }: MachineBuild): readonly string[] {
  return [...stdout.matchAll(/^(?:\[\w+\] )?found (\S+)$/gm)].map(([, one = ""]) =>
    one.replace(/@?sha256:.*/, ""),
  );
}

describe("which images, and in which order", () => {
  let one: string;
  beforeAll(async () => {
    one = await writeProject("order", ["p-1"]);
  });

  test("the tag, the last build of the same, then what --cache-tags finds; named ones before all", async () => {
    await build(one, ["-t", "app:a"], storeOf("order"));
    await writeProject("order", ["p-2"]);
    const second = await build(one, ["-t", "app:b"], storeOf("order"));
    expect(listFound(second)).toEqual(["localhost/app:a"]);
    await writeProject("order", ["p-3"]);
    expect(listFound(await build(one, [], storeOf("order")))).toEqual(["localhost/app:b"]);
    await writeProject("order", ["p-4"]);
    // The last one has no name.
    const fourth = await build(
      one,
      ["-t", "app:a", "--cache-tags=[b-z]", "--explain"],
      storeOf("order"),
    );
    expect(listFound(fourth)).toEqual(["localhost/app:a", "", "localhost/app:b"]);
    await writeProject("order", ["p-5"]);
    const layout = join(sandbox.directory, "order-layout");
    await runHere(["build", "--no-load", "-o", `oci:${layout}:x`, one], storeOf("order"));
    await writeProject("order", ["p-6"]);
    const named = [`--cache-from=type=local,src=${layout},tag=x`, "--cache-from=localhost/app:b"];
    const sixth = await build(
      one,
      ["-t", "app:a", ...named, "--cache-from=localhost/none"],
      storeOf("order"),
    );
    const last = `oci:${layout}:x`;
    expect(listFound(sixth)).toEqual([last, "localhost/app:b", "localhost/app:a"]);
  });

  test("a new tag is explained by the last build, and one of another file by what it stood for", async () => {
    const context = await writeProject("explained", ["why-1"]);
    await build(context, ["-t", "why:a"], storeOf("order"));
    await writeProject("explained", ["why-2"]);
    const changed = await build(context, ["-t", "why:b", "--explain"], storeOf("order"));
    expect(changed.stderr).toContain("built because: context: packages (content)");
    await writeFile(join(context, "Other"), `${text}USER 1\n`);
    const other = await build(
      context,
      ["-t", "why:b", "-f", "Other", "--explain"],
      storeOf("order"),
    );
    expect(other.stderr).toContain("the text of the file changed, first at: USER 1");
    expect(listFound(other)).toEqual(["localhost/why:b"]);
    // Nothing changed but the tag: it is the same image.
    const again = await build(context, ["-t", "why:c", "-f", "Other"], storeOf("order"));
    expect(again.metadata).toMatchObject({ upToDate: true, digest: other.metadata.digest });
  });

  test("another directory, context or target is another build; a link to the same is not", async () => {
    const context = await writeProject("one/project", ["place-1"]);
    await build(context, ["-t", "place:a"], storeOf("order"));
    const elsewhere = await writeProject("two/project", ["place-1", "place-2"]);
    expect(listFound(await build(elsewhere, ["-t", "place:b"], storeOf("order")))).toEqual([]);
    const file = join(context, "Containerfile.x");
    const foreign = await build(elsewhere, ["-t", "place:c", "-f", file], storeOf("order"));
    expect(listFound(foreign)).toEqual([]);
    const link = join(sandbox.directory, "link");
    await symlink(context, link);
    await writeProject("one/project", ["place-3"]);
    const host = `--platform=linux/${arch() === "x64" ? "amd64" : arch()}`;
    const linked = await build(link, ["-t", "place:d", host], storeOf("order"));
    expect(listFound(linked)).toEqual(["localhost/place:a"]);
  });

  test("a file on standard input is known by the context and the repository", async () => {
    const context = await writeProject("piped", ["pipe-1"]);
    const pipe = (tag: string): Promise<readonly string[]> =>
      runHere(["--no-load", "-f", "-", "-t", tag, context], storeOf("order"), text);
    expect(await pipe("piped:a")).toEqual([]);
    await writeProject("piped", ["pipe-2"]);
    expect(await pipe("piped:b")).toEqual(["localhost/piped:a"]);
    await writeProject("piped", ["pipe-3"]);
    expect(await pipe("other:b")).toEqual([]);
  });

  test("a prune leaves the last build, whatever became of tags before it", async () => {
    const context = await writeProject("pruned", ["p-1"]);
    const own = storeOf("pruned");
    await build(context, ["-t", "app:v1"], own);
    await writeProject("pruned", ["p-2"]);
    await build(context, ["-t", "app:v2"], own);
    await runHere(["rmi", "app:v1"], own);
    await runHere(["cache", "prune"], own);
    await writeProject("pruned", ["p-2", "p-3"]);
    const next = await build(context, ["-t", "app:v3"], own);
    expect(next.layers).toEqual(["p-2 kept", "p-3 new"]);
    expect(next.stdout).toContain("state: p-2.");
    expect(listFound(next)).toEqual(["localhost/app:v2"]);
  });
});

test("a stage begins with its own last image under a new tag, too", async () => {
  const stage = text.replace(baseImage, `${baseImage} AS one`);
  const composed = `${stage}FROM scratch\nCOPY --from=one / /\n`;
  const context = await writeProject("stages", ["p-1", "p-2"]);
  await writeFile(join(context, "Containerfile.x"), composed);
  await build(context, ["-t", "composed:a"], storeOf("stages"));
  await writeFile(join(context, "packages"), "p-1\np-3\n");
  const changed = await build(context, ["-t", "composed:b"], storeOf("stages"));
  expect(listFound(changed)).toEqual(["one", "localhost/composed:a"]);
  expect(changed.stdout).toContain("state: p-2.");
});

const image = (): string => `${service.proxy.host}/team/tags`;

const tagged = (tag: string): readonly string[] => ["-t", `${image()}:${tag}`, "--push"];

async function push(
  tag: string,
  packages: readonly string[],
  ...words: readonly string[]
): Promise<MachineBuild> {
  const context = await writeProject(tag, packages);
  return buildOnFreshMachine(sandbox, context, [...tagged(tag), ...words]);
}

describe("other tags of a repository", () => {
  test("are not taken unasked, and the newest of a pattern's where that can be told", async () => {
    await push("pr-7", ["p-1"], "--timestamp=1700000000");
    const unasked = await push("v1", ["p-1", "p-2"], "--timestamp=1600000000");
    expect(listFound(unasked)).toEqual([]);
    await push("v2", ["p-3"], "--timestamp=1650000000");
    service.proxy.reset();
    const asked = await push("v3", ["p-3", "p-4"], "--cache-tags=v*", "--timestamp=1650000000");
    expect(listFound(asked)).toEqual([`${image()}:v2`]);
    expect(asked.layers).toEqual(["p-3 kept", "p-4 new"]);
    // Nobody has named it: its layer has come, and was looked at.
    expect(asked.metadata.layers[0]?.verified).toBe(true);
    const trusting = ["--cache-tags=v*", "--cache-tags=pr-*", "--trust-cache=all"];
    const trusted = await push("w", ["p-1", "p-5"], ...trusting);
    expect(listFound(trusted)).toEqual([`${image()}:pr-7`]);
    expect(trusted.metadata.layers[0]?.verified).toBe(false);
  });

  test("of one date, or of none, are an error, unless this store gave one of them last", async () => {
    const context = await writeProject("tie", ["p-1"]);
    const words = [...tagged("v4"), "--cache-tags=v[23]"];
    const tie = await buildOnFreshMachine(sandbox, context, words, { status: 1 });
    expect(tie.stderr).toContain("error[cache-tags-unclear]");
    expect(tie.stderr).toContain("v2 (2022-04-15T05:20:00Z), v3 (2022-04-15T05:20:00Z)");
    expect(tie.stderr).toContain(`--cache-from ${image()}:v2`);
    expect(tie.builds).toEqual([]);
    const first = await push("e1", ["p-1", "p-2"], "--timestamp=0");
    await push("e2", ["p-1", "p-3"], "--timestamp=0");
    const none = [...tagged("e4"), "--cache-tags=e*"];
    const epoch = await buildOnFreshMachine(sandbox, context, none, { status: 1 });
    expect(epoch.stderr).toContain("e1 (1970-01-01T00:00:00Z), e2 (1970-01-01T00:00:00Z)");
    const known = await buildOnFreshMachine(sandbox, context, none, { store: first.store });
    expect(listFound(known)).toEqual([`${image()}:e1`]);
  });
});

test.each([
  ["--cache-from=type=gha", "a cache of type gha cannot be read"],
  ["--cache-from=type=registry", "a cache without ref cannot be read"],
  ["--cache-tags=a/b", "--cache-tags a/b is no pattern for tags"],
])("%s is refused", async (word, message) => {
  const context = await writeProject("refused", ["p-1"]);
  const refused = await runXbuild(sandbox, [word, "-t", "app", context]);
  expect(refused.status).toBe(125);
  expect(refused.stderr).toContain(message);
});

/** Runs xbuild with a store. @returns what a build in it found */
async function runHere(
  words: readonly string[],
  store: string,
  input?: string,
): Promise<readonly string[]> {
  const options = { env: { XBUILD_STORE: store }, ...(input === undefined ? {} : { input }) };
  const outcome = await runXbuild(sandbox, words, options);
  assertStatus(outcome, 0);
  return [...outcome.stdout.matchAll(/^(?:\[\w+\] )?found (\S+)$/gm)].map(([, one = ""]) =>
    one.replace(/@?sha256:.*/, ""),
  );
}
