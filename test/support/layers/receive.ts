import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReceiveLimits } from "../../../src/layers/receive/limits.ts";
import { createReceived, type ReceivedOutput } from "../../../src/layers/receive/receive-output.ts";
import { expect } from "vitest";
import { XbuildError } from "../../../src/errors.ts";
import type { CollectedOutput } from "../../../src/layers/model.ts";
import { collect, createDirectory, layersOf } from "./fixtures.ts";
import { type RawEntry, rawEntry, rawTar } from "./raw-tar.ts";

/** Where a builder's archive is taken to, in a directory of its own with a file that is none of its business. */
export interface Reception {
  readonly directory: string;
  readonly output: string;
  readonly received: ReceivedOutput;
}

const bystander = "do not touch";

export function createReception(limits?: Partial<ReceiveLimits>): Reception {
  const directory = createDirectory();
  const output = join(directory, "run", "output");
  mkdirSync(join(output, "layers"), { recursive: true });
  mkdirSync(join(output, "blobs/sha256"), { recursive: true });
  writeFileSync(join(directory, "run", "bystander"), bystander);
  writeFileSync(join(directory, "bystander"), bystander);
  return { directory, output, received: createReceived(output, limits) };
}

/** An archive as it comes over a connection: in pieces of a size that fits no block. */
export async function* inPieces(archive: Buffer, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += size) {
    await Promise.resolve();
    yield archive.subarray(at, at + size);
  }
}

/** Takes an archive; what is wrong is thrown. */
export async function take({ received }: Reception, archive: Buffer, size?: number): Promise<void> {
  await received.take(inPieces(archive, size), new AbortController().signal);
}

/**
 * What is wrong with the files of this machine after an archive was taken: nothing stands beside the output and the
 * archives of trees, and nothing but plain files and directories of ours anywhere.
 */
export function listIntrusions({ directory }: Reception): readonly string[] {
  const found: string[] = [];
  const visit = (path: Buffer, depth: number): void => {
    const stats = lstatSync(path);
    const shown = path.toString("latin1").slice(directory.length);
    if (!stats.isFile() && !stats.isDirectory()) found.push(`${shown} is special`);
    if ((stats.mode & 0o7000) !== 0) found.push(`${shown} has a set-id bit`);
    if (stats.isFile() && stats.nlink > 1) found.push(`${shown} is linked`);
    if (!stats.isDirectory()) return;
    const names = readdirSync(path, { encoding: "buffer" });
    const allowed = [
      ["bystander", "run"],
      ["bystander", "output", "received"],
    ][depth];
    for (const name of names) {
      if (!(allowed ?? [name.toString()]).includes(name.toString()))
        found.push(`${shown}/${name.toString()} is new`);
      visit(Buffer.concat([path, Buffer.from("/"), name]), depth + 1);
    }
  };
  visit(Buffer.from(directory), 0);
  for (const place of ["bystander", "run/bystander"])
    if (readFileSync(join(directory, place), "utf8") !== bystander) found.push(`${place} changed`);
  return found;
}

export const directory = (name: string): Buffer =>
  rawEntry({ name: `${name}/`, type: "5", mode: 0o755 });
export const file = (name: string, data: string | Buffer = "x", more: RawEntry = {}): Buffer =>
  rawEntry({ name, data, ...more });
export const hardLink = (name: string, link: string): Buffer => rawEntry({ name, type: "1", link });
export const symlink = (name: string, link: string): Buffer => rawEntry({ name, type: "2", link });

export const layers = directory("layers");
export const tree = (name: string): Buffer => directory(`layers/${name}`);

/** What becomes of an archive; nothing of it may be anywhere else. */
export async function receive(...parts: readonly Buffer[]): Promise<Reception> {
  const reception = createReception();
  try {
    await take(reception, rawTar(...parts));
  } finally {
    expect(listIntrusions(reception)).toEqual([]);
  }
  return reception;
}

export async function codeOf(...parts: readonly Buffer[]): Promise<unknown> {
  const error: unknown = await receive(...parts).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  // Words of the system, and paths of this machine, are nobody's business.
  if (!(error instanceof XbuildError)) throw error;
  expect(error.message).not.toMatch(/E[A-Z]{4,}:|xbuild-layers-/);
  return error.code;
}

export async function collectReceived({ output, received }: Reception): Promise<CollectedOutput> {
  return collect(output, { findTree: received.findTree, compression: "none" });
}

/** What a layer's archive has, as tar lists it: type, size and name. */
export function listLayer(output: CollectedOutput, at = 0): readonly string[] {
  const path = layersOf(output)[at]?.blob?.path ?? "";
  const list = execFileSync("tar", ["-tvf", path], { encoding: "utf8" }).trimEnd();
  return list
    .split("\n")
    .map((line) =>
      line.replace(
        /^(.)\S+ +\S+ +(\S+) \S+ \S+ (.*)$/,
        (_, type: string, size: string, name: string) => `${type} ${size} ${name}`,
      ),
    );
}
