import { readdirSync, readFileSync } from "node:fs";

/** What a process and everything below it took. */
export interface Usage {
  /** Bytes, of the process itself: VmHWM, which the kernel keeps, so that no peak between two looks is missed. */
  readonly process: number;
  /** Bytes, of the process and everything below it: the sum of VmRSS at the worst of the looks. */
  readonly tree: number;
  /** Seconds of processor time, of the process and everything below it: what came after the last look is missing. */
  readonly cpu: number;
}

/** Between two looks at a tree of processes, in milliseconds. */
const interval = 25;
/** Of proc_pid_stat(5): Linux shows all programs 100 a second (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

/** Watches a process and its descendants by /proc until the function that is returned is called. */
export function watchUsage(pid: number): () => Usage {
  let [own, tree, ticks] = [0, 0, 0];
  const look = (): void => {
    const all = listTree(pid);
    own = Math.max(own, readStatus(pid, "VmHWM"));
    tree = Math.max(
      tree,
      sumOf(all, (one) => readStatus(one, "VmRSS")),
    );
    ticks = Math.max(ticks, sumOf(all, readTicks));
  };
  const timer = setInterval(look, interval);
  look();
  return () => {
    clearInterval(timer);
    return { process: own, tree: Math.max(own, tree), cpu: ticks / ticksPerSecond };
  };
}

function sumOf(pids: readonly number[], measure: (pid: number) => number): number {
  return pids.reduce((sum, one) => sum + measure(one), 0);
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
  const text = readProc(pid, "status");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}

/** proc_pid_stat(5): user and system time, its own and that of the children it has waited for. */
function readTicks(pid: number): number {
  const text = readProc(pid, "stat");
  // The name, in brackets, may have anything in it; behind it stands the third field.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

/** Empty where the process has ended. */
function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}
