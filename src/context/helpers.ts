import type { Crew } from "./crew.ts";

/** Threads that are started when there is so much to do that it pays. */
export interface Helpers {
  /** Told of so many entries more. @returns those that there are by now */
  readonly count: (entries: number) => Promise<Crew | undefined>;
  readonly crew: () => Crew | undefined;
  readonly close: () => void;
}

/** To start a thread takes as long as to look at some thousand files. */
const manyEntries = 16 * 1024;

/** @param expected how many entries there will be, as far as that is known */
export function createHelpers(expected = 0): Helpers {
  let entries = 0;
  let crew: Crew | undefined;
  let isStarted = false;
  let isClosed = false;
  return {
    count: async (more) => {
      entries += more;
      if (Math.max(entries, expected) < manyEntries || isStarted) return crew;
      isStarted = true;
      const { startCrew } = await import("./crew.ts");
      if (!isClosed) crew = startCrew();
      return crew;
    },
    crew: () => crew,
    close: () => {
      isClosed = true;
      crew?.close();
    },
  };
}
