import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import type { Sandbox } from "./sandbox.ts";

export const debianImage = "localhost/debian:latest";

export interface DebianOptions {
  readonly name?: string;
  /** What is installed beside the least. */
  readonly packages?: readonly string[];
}

/**
 * A minimal Debian 12 as a base image, made by mmdebstrap from real packages. Its tar is kept in the
 * project's `.cache/`, which git ignores: remove it there to have newer packages.
 */
export async function importDebian(
  sandbox: Sandbox,
  { name = debianImage, packages = [] }: DebianOptions = {},
): Promise<void> {
  const tar = await makeTar(packages);
  const context = join(sandbox.directory, "debian");
  await mkdir(context);
  await writeFile(
    join(context, "Containerfile"),
    'FROM scratch\nADD base.tar /\nCMD ["/bin/bash"]\n',
  );
  await sandbox.exec("cp", "--reflink=auto", tar, join(context, "base.tar"));
  await sandbox.exec("buildah", "build", "--quiet", "--layers=false", "-t", name, context);
  await rm(context, { recursive: true });
}

async function makeTar(packages: readonly string[]): Promise<string> {
  const directory = resolve(".cache");
  const tar = join(directory, `${["debian-12-minbase", ...packages].join("-")}.tar`);
  if ((await stat(tar).catch(() => undefined)) !== undefined) return tar;
  await mkdir(directory, { recursive: true });
  const unfinished = join(directory, `debian-${process.pid}.tar`);
  try {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(",")}`];
    await execa("mmdebstrap", ["--quiet", "--variant=minbase", ...include, "bookworm", unfinished]);
    await rename(unfinished, tar);
  } finally {
    await rm(unfinished, { force: true });
  }
  return tar;
}
