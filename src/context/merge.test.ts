import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { compareContexts } from "./compare.ts";
import { openFiles } from "./files.ts";
import { type ContextHash, hashContext } from "./hash.ts";
import { beginsBlock } from "./record.ts";

// Trees and changes at random, beside a model that holds all of it in memory and remembers nothing.

type Model = ReadonlyMap<string, string>;

/** As the walk goes: what sorts before a slash in a name makes the difference. */
function sortPaths(paths: readonly string[]): readonly string[] {
  const keys = new Map(paths.map((path) => [path.replaceAll("/", "\0"), path]));
  return [...keys.keys()].sort().map((key) => keys.get(key) ?? "");
}

async function modelTree(root: string, ignored: ReadonlySet<string>): Promise<Model> {
  const found = await readdir(root, { recursive: true });
  const isIgnored = (path: string): boolean =>
    [...ignored].some((one) => path === one || path.startsWith(`${one}/`));
  const model = new Map<string, string>();
  for (const path of sortPaths(found.filter((one) => !isIgnored(one))))
    model.set(path, await describe(join(root, path)));
  return model;
}

async function describe(path: string): Promise<string> {
  const status = await lstat(path);
  const mode = (status.mode & 0o7777).toString(8);
  if (status.isDirectory()) return `directory ${mode}`;
  if (status.isSymbolicLink()) return `link ${mode} ${await readlink(path)}`;
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  return `file ${mode} ${digest}`;
}

function compareModels(before: Model, after: Model): readonly string[] {
  const paths = sortPaths([...new Set([...before.keys(), ...after.keys()])]);
  return paths.filter((path) => before.get(path) !== after.get(path));
}

type Change = readonly [
  what: "write" | "remove" | "link" | "move" | "mode" | "ignore",
  string,
  string,
];

const directory = fc.constantFrom("a", "a-b", "a.b", "a/b", "é", "z");
const name = fc.constantFrom("f", "a", "b", "b.c", "ä", "😀", "0");
const path = fc.tuple(directory, name).map((parts) => parts.join("/"));
const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom("write", "write", "write", "remove", "link", "move", "mode", "ignore"),
  path,
  path,
);

async function apply(root: string, [what, one, other]: Change): Promise<void> {
  const [from, to] = [join(root, one), join(root, other)];
  try {
    if (what === "remove") return await rm(from, { recursive: true });
    if (what === "mode") return await chmod(from, 0o600);
    await mkdir(join(to, ".."), { recursive: true });
    if (what === "write") await writeFile(to, one);
    if (what === "link") await symlink(one, to);
    if (what === "move") await rename(from, to);
  } catch {
    // What is not there, or in the way, stays.
  }
}

/** As if all changes so far were long past, so that the cache believes what it sees. */
async function hashLater(
  root: string,
  options: Parameters<typeof hashContext>[1],
): Promise<ContextHash> {
  vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + 60_000);
  try {
    return await hashContext(root, options);
  } finally {
    vi.restoreAllMocks();
  }
}

/** By a look that remembers nothing. */
async function digestAnew(
  root: string,
  options: Parameters<typeof hashContext>[1],
): Promise<string> {
  const { cache: _, ...rest } = options;
  return (await hashLater(root, rest)).digest;
}

/** What may befall a cache: nothing, its end is lost, or one of its bytes is another. */
type Damage = readonly [what: "none" | "cut" | "flip", place: number];

async function damageFile(path: string, [what, place]: Damage): Promise<void> {
  if (what === "none") return;
  const bytes = await readFile(path);
  const at = Math.floor(place * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, what === "cut" ? bytes.subarray(0, at) : bytes);
}

const damage: fc.Arbitrary<Damage> = fc.tuple(
  fc.constantFrom("none", "none", "cut", "flip"),
  fc.double({ min: 0, max: 0.999, noNaN: true }),
);
const round = fc.tuple(fc.array(change, { maxLength: 12 }), damage);

test("whatever changes, a hash with a cache is that of the tree, and tells what changed", () =>
  fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), (rounds) =>
      withTemporaryDirectory(async (temporary) => {
        const [root, cache, kept] = [
          temporary + "/root",
          temporary + "/cache",
          temporary + "/kept",
        ];
        await mkdir(root);
        const ignored = new Set<string>();
        let before: Before | undefined;
        for (const [changes, harm] of rounds) {
          for (const one of changes)
            await (one[0] === "ignore" ? ignored.add(one[1]) : apply(root, one));
          const options = {
            ignore: (path: string) => ignored.has(path),
            hasExceptions: false,
            rules: JSON.stringify([...ignored]),
            cache,
          };
          const hash = await hashLater(root, options);
          const model = await modelTree(root, ignored);
          expect([...hash.files]).toEqual([...model]);
          expect(hash.digest).toBe(await digestAnew(root, options));
          if (before !== undefined) await expectChanges(before, { hash, model }, kept);
          hash.write(kept);
          expect(await hashLater(root, { ...options, before: hash })).toBe(hash);
          expect(await hashLater(root, options)).toMatchObject({ read: 0, digest: hash.digest });
          await damageFile(cache, harm);
          before = { hash, model };
        }
      }),
    ),
    { numRuns: 40, seed: 20 },
  ));

const candidates = Array.from({ length: 20_000 }, (_, at) => `d${at % 7}/n${at}`);
const beginning = candidates.filter(beginsBlock);
const others = candidates.filter((one) => !beginsBlock(one));
/** Of many blocks. */
const many = [...beginning, ...others.slice(0, 1000)].toSorted();

const bulk = fc.record({
  what: fc.constantFrom("write", "write", "remove", "mode"),
  at: fc.nat(many.length - 1),
  count: fc.constantFrom(1, 1, 1, 40, 700),
  behind: fc.constantFrom("", "", "-new"),
});

type Bulk = typeof bulk extends fc.Arbitrary<infer T> ? T : never;

function applyBulk(root: string, { what, at, count, behind }: Bulk, content: string): void {
  for (const one of many.slice(at, at + count)) {
    const path = join(root, `${one}${behind}`);
    if (what === "write") writeFileSync(path, content);
    if (what === "remove") rmSync(path, { force: true });
    if (what === "mode" && existsSync(path)) chmodSync(path, 0o600);
  }
}

const all = { ignore: () => false, hasExceptions: false };

/** Lets two caches know a tree, one from before, one anew. */
async function withLargeTree(
  names: readonly string[],
  use: (root: string, expectSame: (rules: string) => Promise<number>) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (temporary) => {
    const [root, cache, fresh] = [`${temporary}/root`, `${temporary}/cache`, `${temporary}/fresh`];
    for (let at = 0; at < 7; at += 1) mkdirSync(join(root, `d${at}`), { recursive: true });
    for (const one of names) writeFileSync(join(root, one), "");
    await use(root, async (rules) => {
      const { digest, read } = await hashLater(root, { ...all, rules, cache });
      expect((await hashLater(root, { ...all, rules, cache: fresh })).digest).toBe(digest);
      expect(await readFile(cache)).toEqual(await readFile(fresh));
      await rm(fresh);
      return read;
    });
  });
}

test("whichever way a tree of many blocks became what it is, what is known of it is the same to the byte", () =>
  withLargeTree(many, async (root, expectSame) => {
    linkSync(join(root, beginning[3] ?? ""), join(root, "d0/linked"));
    linkSync(join(root, beginning[3] ?? ""), join(root, "d6/z"));
    await expectSame("0");
    let content = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(bulk, { maxLength: 4 }), fc.boolean(), async (changes, isOther) => {
        for (const one of changes) applyBulk(root, one, String((content += 1)));
        const read = await expectSame(isOther ? "1" : "0");
        expect(read).toBeLessThanOrEqual(sum(changes));
      }),
      { numRuns: 15, seed: 7 },
    );
  }));

function sum(changes: readonly Bulk[]): number {
  return changes.reduce((total, { count }) => total + count, 0);
}

test("a block that is full ends where it would anew", () => {
  const names = others.slice(0, 8400).toSorted();
  return withLargeTree(names, async (root, expectSame) => {
    await expectSame("");
    appendFileSync(join(root, names[8300] ?? ""), "x");
    expect(await expectSame("")).toBe(1);
    rmSync(join(root, names[10] ?? ""));
    expect(await expectSame("")).toBe(0);
  });
});

interface Before {
  readonly hash: ContextHash;
  readonly model: Model;
}

async function expectChanges(before: Before, now: Before, kept: string): Promise<void> {
  const then = openFiles(kept, before.hash.digest) ?? [];
  const told = Array.from(compareContexts(then, now.hash.files), (one) => one.path);
  expect(told).toEqual(compareModels(before.model, now.model));
  await rm(kept);
}
