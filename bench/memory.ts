import { readdirSync, readFileSync } from "node:fs";

/** Peaks in bytes. */
export interface Memory {
  /** Of the process itself: VmHWM, which the kernel keeps, so that no peak between two looks is missed. */
  readonly process: number;
  /** Of the process and everything below it: the sum of VmRSS at the worst of the looks. */
  readonly tree: number;
}

/** Between two looks at a tree of processes, in milliseconds. */
const interval = 25;

/** Watches a process and its descendants by /proc until the function that is returned is called. */
export function watchMemory(pid: number): () => Memory {
  let [own, tree] = [0, 0];
  const look = (): void => {
    own = Math.max(own, readStatus(pid, "VmHWM"));
    tree = Math.max(
      tree,
      listTree(pid).reduce((sum, one) => sum + readStatus(one, "VmRSS"), 0),
    );
  };
  const timer = setInterval(look, interval);
  look();
  return () => {
    clearInterval(timer);
    return { process: own, tree: Math.max(own, tree) };
  };
}

function listTree(pid: number): readonly number[] {
  return [pid, ...listChildren(pid).flatMap(listTree)];
}

/** proc_pid_task(5): a child is listed with the thread that started it. */
function listChildren(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
        .split(" ")
        .filter((word) => word !== "")
        .map(Number),
    );
  } catch {
    // It has ended since we heard of it.
    return [];
  }
}

/** A line of proc_pid_status(5) in bytes, or 0 where the process has ended. */
function readStatus(pid: number, field: "VmHWM" | "VmRSS"): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
