import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** How busy the machine was while something was measured, the measured itself among it. */
export interface Busy {
  readonly cores: number;
  /** getloadavg(3), of the last minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Of the cores' time, 0 to 1: what nothing ran in, as proc_stat(5) counts it (idle and iowait); undefined without it. */
  readonly idle: number | undefined;
}

/** Looks at the machine now and when the function that is returned is called. */
export function watchBusy(): () => Busy {
  const [loadBefore = Number.NaN] = loadavg();
  const before = readTimes();
  return () => {
    const [loadAfter = Number.NaN] = loadavg();
    const after = readTimes();
    const total = (after?.total ?? 0) - (before?.total ?? 0);
    const idle = total > 0 ? ((after?.idle ?? 0) - (before?.idle ?? 0)) / total : undefined;
    return { cores: availableParallelism(), loadBefore, loadAfter, idle };
  };
}

/** Since the machine was started, in ticks of all cores. */
function readTimes(): { readonly total: number; readonly idle: number } | undefined {
  try {
    const [first = ""] = readFileSync("/proc/stat", "latin1").split("\n");
    // Guests' time, the last two, is part of user's and nice's.
    const ticks = first.split(/ +/).slice(1, 9).map(Number);
    return {
      total: ticks.reduce((sum, one) => sum + one, 0),
      idle: (ticks[3] ?? 0) + (ticks[4] ?? 0),
    };
  } catch {
    return undefined;
  }
}
