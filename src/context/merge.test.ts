import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
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

function digestModel(model: Model): string {
  const text = JSON.stringify([...model].flat());
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
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
          expect(hash.digest).toBe(digestModel(model));
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
