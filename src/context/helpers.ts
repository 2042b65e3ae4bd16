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

export function createHelpers(): Helpers {
  let entries = 0;
  let crew: Crew | undefined;
  let isStarted = false;
  return {
    count: async (more) => {
      entries += more;
      if (entries < manyEntries || isStarted) return crew;
      isStarted = true;
      const { startCrew } = await import("./crew.ts");
      crew = startCrew();
      return crew;
    },
    crew: () => crew,
    close: () => crew?.close(),
  };
}
