import type { Started } from "./xbuild.ts";

/** How a user, or the machine's service manager, ends a build. */
export const waysToStop: readonly {
  readonly way: string;
  readonly stop: (started: Started) => void;
}[] = [
  { way: "SIGINT", stop: (started) => started.signal("SIGINT") },
  {
    way: "Ctrl-C (SIGINT to the process group)",
    stop: ({ pid }) => void process.kill(-pid, "SIGINT"),
  },
  { way: "SIGTERM", stop: (started) => started.signal("SIGTERM") },
];
