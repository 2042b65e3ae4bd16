import { lstatSync, type Stats } from "node:fs";
import { systemCode } from "../system/errno.ts";
import { createTurns } from "../system/turns.ts";
import { hashText } from "../oci/oci.ts";
import { type Entry, toEntry } from "./entry.ts";
import type { KnownNames } from "./known-names.ts";
import { listNames, type NameType, splitTyped, typeOf } from "./list-names.ts";
import { encodePath, joinPath } from "./names.ts";
import { compareWalk } from "./order.ts";

export interface WalkOptions {
  /** Whether the ignore file leaves a path (relative, with slashes) out. */
  readonly ignore: (path: string) => boolean;
  /**
   * Whether something below an ignored directory may be kept (a pattern with `!`); then such directories
   * are looked into. Taken for so unless false is given.
   */
  readonly hasExceptions?: boolean;
  /**
   * Paths that alone are wanted, with all that is below them; the root is "". Where a link stands in the way of one,
   * all of the directory is, also what is ignored: the engines judge a path by the name that it is asked for under.
   */
  readonly only?: readonly string[] | undefined;
  /** Whether a path may be meant that leads through a link, by a pattern: then so, where there are links. */
  readonly followsLinks?: boolean | undefined;
  /** Whether the root itself counts, too. */
  readonly withRoot?: boolean | undefined;
  /** Stands for all that `ignore` says: equal texts leave out the same paths. Without it nothing is known of names. */
  readonly rules?: string | undefined;
  /** Ends the walk: then its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Is given each path that is there, and what it is, of some with what lstat(2) says; what it returns is waited for before
 * the next one comes.
 */
export type Visit = (path: string, type: NameType, entry?: Entry) => Promise<void> | undefined;

/** Which paths of a directory are walked. */
export interface WalkPlan {
  readonly options: WalkOptions;
  /** Equal of plans that find the same paths in the same directory; undefined where that is not known. */
  readonly rules: string | undefined;
}

export async function planWalk(root: string, options: WalkOptions): Promise<WalkPlan> {
  const { only, signal, withRoot, followsLinks, hasExceptions, rules } = options;
  const isWhole =
    only?.some((path) => hasLink(root, path)) === true ||
    (followsLinks === true && (await findsLink(root, options)));
  if (isWhole)
    return { options: { ignore: () => false, signal, withRoot }, rules: hashText("all") };
  // What is kept in an ignored directory is seen by a look into it alone.
  const isKnown = rules !== undefined && hasExceptions === false;
  return { options, rules: isKnown ? hashText(JSON.stringify([rules, only ?? null])) : undefined };
}

/**
 * The paths below a directory that are not ignored, in an order that depends on nothing but the names (`compareWalk`).
 * In synchronous calls: for thousands of small ones that is three times as fast in Node; now and then signals have their
 * turn.
 * @param known what was found by the same rules before
 */
export async function walkTree(
  root: string,
  { options, known }: { readonly options: WalkOptions; readonly known?: KnownNames | undefined },
  visit: Visit,
): Promise<void> {
  const walk = { root, options, known, held: [], visit, turn: createTurns(options.signal) };
  for (const path of listWanted(options.only)) await walkFrom(walk, path);
}

/** A look at the names alone, which costs a fifth of one at all that stat(2) says. */
async function findsLink(root: string, options: WalkOptions): Promise<boolean> {
  const found = new Error("a link");
  const look: Visit = (_path, type) => {
    if (type === "link") throw found;
    return undefined;
  };
  try {
    await walkTree(root, { options }, look);
    return false;
  } catch (error) {
    if (error !== found) throw error;
    return true;
  }
}

interface Walk {
  readonly root: string;
  readonly options: WalkOptions;
  readonly known?: KnownNames | undefined;
  /** Ignored directories on the way to here, in which nothing has been found yet. */
  readonly held: string[];
  readonly visit: Visit;
  readonly turn: () => Promise<void> | undefined;
}

/** Paths none of which is below another, in the order of the walk; the root is "". */
export function listWanted(only: readonly string[] = [""]): readonly string[] {
  const sorted = [...new Set(only)].sort(compareWalk);
  if (sorted.includes("")) return [""];
  return sorted.filter((path) => !sorted.some((other) => path.startsWith(`${other}/`)));
}

/** Whether the path, or a directory on the way to it, is a link. */
function hasLink(root: string, path: string): boolean {
  return listParents(path)
    .concat(path)
    .some((one) => findStatus(root, one)?.isSymbolicLink());
}

/** Whether a path is left out, where nothing in an ignored directory is kept. */
export function isIgnored({ ignore }: WalkOptions, path: string): boolean {
  return listParents(path).concat(path).some(ignore);
}

/** What lstat(2) says; undefined for what is not there. */
export function findStatus(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(encodePath(joinPath(root, path)), { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** `a` and `a/b` of `a/b/c`. */
function listParents(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

async function walkFrom(walk: Walk, path: string): Promise<void> {
  if (path === "") return walkDirectory(walk, "");
  const { ignore, hasExceptions } = walk.options;
  if (hasExceptions === false && listParents(path).some(ignore)) return undefined;
  const status = findStatus(walk.root, path);
  if (status === undefined) return undefined;
  return visitName(walk, path, typeOf(status));
}

async function walkDirectory(walk: Walk, parent: string, entry?: Entry): Promise<void> {
  const known = entry && walk.known?.list(entry);
  for (const typed of known ?? listNames(walk.root, parent)) {
    const wait = walk.turn();
    if (wait !== undefined) await wait;
    // A promise for each of a million files is a second.
    const [name, type] = typeof typed === "string" ? splitTyped(typed) : typed;
    const below = visitName(walk, parent === "" ? name : `${parent}/${name}`, type);
    if (below !== undefined) await below;
  }
}

function visitName(walk: Walk, path: string, type: NameType): Promise<void> | undefined {
  const isIgnored = walk.options.ignore(path);
  if (type === "directory") return (isIgnored ? visitIgnored : visitDirectory)(walk, path);
  if (isIgnored) return undefined;
  return walk.held.length === 0 ? walk.visit(path, type) : visitHeld(walk, path, { type });
}

async function visitDirectory(walk: Walk, path: string): Promise<void> {
  const status = walk.known === undefined ? undefined : findStatus(walk.root, path);
  const entry = status && toEntry(path, status);
  await visitHeld(walk, path, { type: "directory", entry });
  await walkDirectory(walk, path, entry);
}

/** The path, and before it the ignored directories that are there for it. */
async function visitHeld(walk: Walk, path: string, found: Found): Promise<void> {
  for (const held of walk.held.splice(0)) await walk.visit(held, "directory");
  await walk.visit(path, found.type, found.entry);
}

interface Found {
  readonly type: NameType;
  readonly entry?: Entry | undefined;
}

/** An ignored directory is there only for what is kept in it. */
async function visitIgnored(walk: Walk, path: string): Promise<void> {
  if (walk.options.hasExceptions === false) return;
  walk.held.push(path);
  await walkDirectory(walk, path);
  if (walk.held.at(-1) === path) walk.held.pop();
}
