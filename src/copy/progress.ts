import { readFile } from "node:fs/promises";

export interface TransferWatch {
  /** Called about twice a second with the bytes that the program has written since it started. */
  readonly onBytes: (bytes: number) => void;
  /** Called when it has written nothing for `stallTimeout` milliseconds. */
  readonly onStall: () => void;
  readonly stallTimeout: number;
}

const interval = 500;

/**
 * Follows what a process writes, to files and to sockets alike: skopeo tells of its progress on a
 * terminal alone. proc(5), /proc/PID/io, `wchar`. @returns the function that ends it
 */
export function watchTransfer(pid: number, watch: TransferWatch): () => void {
  let last = 0;
  let changedAt = Date.now();
  const look = async (): Promise<void> => {
    const written = await readWritten(pid);
    if (written === undefined) return;
    if (written !== last) changedAt = Date.now();
    last = written;
    watch.onBytes(written);
    if (Date.now() - changedAt > watch.stallTimeout) watch.onStall();
  };
  const timer = setInterval(() => void look(), interval);
  return () => clearInterval(timer);
}

/** undefined where it is gone, or where /proc tells nothing: then nobody can say that it stalls. */
async function readWritten(pid: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/io`, "utf8");
    const written = /^wchar: (\d+)$/m.exec(text)?.[1];
    return written === undefined ? undefined : Number(written);
  } catch {
    return undefined;
  }
}
