import { cp, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import type { ProjectFiles } from "../support/project.ts";
import type { Sandbox } from "../support/sandbox.ts";
import type { Case, ColumnName, Ground, World } from "./case.ts";
import type { Column } from "./columns.ts";

/** What a row is built with. */
export interface Table {
  readonly sandbox: Sandbox;
  readonly world: World;
  readonly columns: readonly Column[];
}

/** The image of each column, and first the previous one, where it is what all must come to. */
export type Row = ReadonlyMap<ColumnName | "previous", MachineBuild>;

/** A row's context, and how each column is told of the previous image. */
export interface Start {
  readonly context: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The image that all must come to; each begins with a copy of its store, or finds it in a registry. */
  readonly previous?: MachineBuild;
  readonly store?: string;
}

const epoch = "1600000000";

let rows = 0;

/** Builds a row in every column, each of which has nothing but what the ground gives it. */
export async function buildRow(table: Table, row: Case, ground: Ground): Promise<Row> {
  const start = await makeStart(table, row, ground);
  const builds = new Map<ColumnName | "previous", MachineBuild>();
  if (start.previous !== undefined) builds.set("previous", start.previous);
  for (const column of table.columns)
    builds.set(column.name, await buildStart(table, column, start));
  return builds;
}

export async function makeStart(table: Table, row: Case, ground: Ground): Promise<Start> {
  rows += 1;
  const before = row.before && (await buildBefore(table, row.before));
  const context = await makeContext(table, row, row.files);
  const words = row.args?.(table.world) ?? [];
  const start: Start = { context, words: [...words, ...(before ?? [])], env: {} };
  if (ground === "epoch") return { ...start, env: { SOURCE_DATE_EPOCH: epoch } };
  // Each column in turn makes the image that all others have to come to.
  const maker = table.columns[rows % table.columns.length] ?? table.columns[0];
  if (maker === undefined) throw new Error("the table has no columns");
  if (ground === "store") {
    const previous = await buildStart(table, maker, start);
    return { ...start, previous, store: previous.store };
  }
  const name = `${table.world.registry}/rows/row-${rows}:previous`;
  const pushing = [...start.words, "-t", name, "--push"];
  const previous = await buildStart(table, maker, { ...start, words: pushing });
  return { ...start, previous, words: [...words, "--cache-from", name] };
}

/** The words that name an image that is there before. */
async function buildBefore(
  table: Table,
  files: NonNullable<Case["before"]>,
): Promise<readonly string[]> {
  const [maker] = table.columns;
  if (maker === undefined) throw new Error("the table has no columns");
  const name = `${table.world.registry}/rows/row-${rows}:before`;
  const context = await makeContext(table, {}, files);
  await buildStart(table, maker, { context, words: ["-t", name, "--push"], env: {} });
  return ["--cache-from", name];
}

async function makeContext(
  { sandbox, world }: Table,
  { prepare }: Pick<Case, "prepare">,
  files: Case["files"],
): Promise<string> {
  const made = files(world);
  const all: ProjectFiles = typeof made === "string" ? { "Containerfile.x": made } : made;
  const { context } = await sandbox.project(all);
  await prepare?.(context, world);
  return context;
}

export async function buildStart(
  { sandbox }: Table,
  column: Column,
  start: Start,
): Promise<MachineBuild> {
  const tag = start.words.includes("-t") ? [] : ["-t", `localhost/row-${rows}:latest`];
  const words = [...column.words, "--no-cache", "--no-load", ...tag, ...start.words];
  const env = { ...column.env, ...start.env };
  return buildOnFreshMachine(sandbox, start.context, words, {
    env,
    ...(start.store !== undefined && { store: await copyStore(sandbox, start.store) }),
  });
}

async function copyStore({ directory }: Sandbox, store: string): Promise<string> {
  const copy = join(await mkdtemp(join(directory, "copy-")), "store");
  await cp(store, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}
