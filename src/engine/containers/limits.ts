import { readFileSync } from "node:fs";
import { hasInOrder } from "../../text.ts";

/** Resource limits by their numbers on Linux (asm-generic/resource.h), in which runc tells them. */
const names =
  "cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime".split(
    " ",
  );

/** Limits that engines set for every container, unless told otherwise (buildah 1.35: to 1048576). */
const defaults = ["nofile", "nproc"];

/** How proc_pid_limits(5) calls them. */
const titles: Readonly<Record<string, string>> = {
  nofile: "Max open files",
  nproc: "Max processes",
  memlock: "Max locked memory",
};

/**
 * The limit (`nofile`) that an engine or its runtime was not allowed to set for a container; undefined where that is
 * not what happened. A step that prints such a thing is none: only the engine's own lines count.
 */
export function findRefusedLimit(tail: string): string | undefined {
  return tail
    .split("\n")
    .filter((line) => /^(?:Error: |error running container: from )/.test(line))
    .filter((line) => hasInOrder(line, /rlimit/i, /not permitted/i))
    .map((line) => readLimit(line))
    .find((name) => name !== undefined);
}

/**
 * buildah in chroot isolation: `setting "RLIMIT_NOFILE" limit to ...`; crun: "setrlimit `RLIMIT_NOFILE`: ..."; runc:
 * `error setting rlimit type 7: ...`.
 */
function readLimit(line: string): string | undefined {
  const groups =
    /(?:setting "|setrlimit `)RLIMIT_(?<name>[A-Z]+)|rlimit type (?<number>[0-9]+)/.exec(
      line,
    )?.groups;
  return groups?.["name"]?.toLowerCase() ?? names[Number(groups?.["number"])];
}

/** What to set, so that the engine asks for no more than this process may have. */
export function describeRemedy(limit: string): string {
  const wanted = (defaults.includes(limit) ? defaults : [limit]).map(
    (name) => `${name}=${readHardLimit(name)}`,
  );
  const quoted = wanted.map((one) => `"${one}"`).join(", ");
  const flags = wanted.map((one) => `--ulimit=${one}`).join(" ");
  return `set default_ulimits = [${quoted}] under [containers] in containers.conf, or give ${flags}`;
}

/** `hard:hard` of this process, which what it starts inherits; -1 for no limit. */
function readHardLimit(name: string): string {
  const title = titles[name];
  const lines = readFileSync("/proc/self/limits", "utf8").split("\n");
  const line = title === undefined ? undefined : lines.find((one) => one.startsWith(title));
  const hard = line?.slice(title?.length).trim().split(/\s+/)[1];
  return hard === undefined ? "SOFT:HARD" : `${hard}:${hard}`.replaceAll("unlimited", "-1");
}
