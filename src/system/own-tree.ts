import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  utimesSync,
  type Stats,
} from "node:fs";
import { createTurns } from "./turns.ts";

/*
 * Trees of plain files and directories that we have made ourselves, not deep, in places that nobody else can reach:
 * so paths are safe. Names may be any bytes.
 */

/** Copies such a tree as new files, with modes and times. */
export async function copyOwnTree(from: string, to: string): Promise<void> {
  const turn = createTurns();
  const copy = async (source: Buffer, target: Buffer): Promise<void> => {
    await turn();
    const status = lstatSync(source);
    if (status.isDirectory()) {
      mkdirSync(target);
      for (const name of listNames(source)) await copy(below(source, name), below(target, name));
    } else if (status.isFile()) {
      copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    }
    if (status.isDirectory() || status.isFile()) keepStatus(target, status);
  };
  await copy(Buffer.from(from), Buffer.from(to));
}

function keepStatus(path: Buffer, { mode, atime, mtime }: Stats): void {
  chmodSync(path, mode & 0o777);
  utimesSync(path, atime, mtime);
}

/** Makes all that is in such a tree durable. */
export async function settleOwnTree(root: string): Promise<void> {
  const turn = createTurns();
  const settle = async (path: Buffer): Promise<void> => {
    await turn();
    if (lstatSync(path).isDirectory()) {
      for (const name of listNames(path)) await settle(below(path, name));
    }
    syncPath(path);
  };
  await settle(Buffer.from(root));
}

function syncPath(path: Buffer): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function listNames(path: Buffer): readonly Buffer[] {
  return readdirSync(path, { encoding: "buffer" });
}

function below(path: Buffer, name: Buffer): Buffer {
  return Buffer.concat([path, Buffer.from("/"), name]);
}
