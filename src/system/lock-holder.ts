import { fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { basename } from "node:path";

/** Bytes. */
const maxHolder = 200;

/** Says in the lock's own file who holds it, for those who wait; a directory cannot say it. */
export function writeHolder(fd: number): void {
  const words = [basename(process.argv[1] ?? ""), ...process.argv.slice(2, 3)].join(" ");
  const holder = `process ${process.pid} (${words}) since ${new Date().toISOString()}`;
  try {
    if (!fstatSync(fd).isFile()) return;
    ftruncateSync(fd);
    writeSync(fd, holder.slice(0, maxHolder), 0);
  } catch {
    // It only helps.
  }
}

/** To be called before the lock is given back. */
export function clearHolder(fd: number): void {
  try {
    if (fstatSync(fd).isFile()) ftruncateSync(fd);
  } catch {
    // As above.
  }
}

/** Who holds the lock, and since when; empty where nobody says so. */
export function readHolder(fd: number): string {
  try {
    if (!fstatSync(fd).isFile()) return "";
    const bytes = Buffer.alloc(maxHolder);
    return bytes.toString("utf8", 0, readSync(fd, bytes, 0, maxHolder, 0));
  } catch {
    return "";
  }
}
