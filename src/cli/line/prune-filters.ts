import { usageError } from "./arguments.ts";
import { parseAge } from "./max-age.ts";
import { parseSize, splitPair } from "./values.ts";

/**
 * `--filter until=WHEN` of a prune, in the forms of docker and podman: an age, a time, or seconds since 1970.
 * @returns milliseconds since 1970, of several the earliest. Errors: `usage` for another filter.
 */
export function readPruneFilters(words: readonly string[], now: number): number | undefined {
  const times = words.map((word) => {
    const [key, value] = splitPair(word);
    if (key !== "until" || value === undefined || value === "") {
      throw usageError(`--filter cannot be ${word}`, "use until=AGE, such as until=24h");
    }
    return parseWhen(value, now);
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

function parseWhen(text: string, now: number): number {
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) return Number(text) * 1000;
  if (/^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text)) {
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return time;
  }
  return now - parseAge(text, "--filter until=");
}

/** Bytes: --max-size, under the names that docker has for it, too. 0 leaves what names need. Errors: `usage` */
export function readSize(line: {
  readonly last: (name: string) => string | undefined;
}): number | undefined {
  const given = ["max-size", "max-used-space", "keep-storage"].flatMap((name) => {
    const text = line.last(name);
    return text === undefined ? [] : [{ name, text }];
  });
  const [first, second] = given;
  if (second !== undefined) throw usageError(`--${first?.name} and --${second.name} say the same`);
  if (first === undefined) return undefined;
  return first.text === "0" ? 0 : parseSize(first.text, `--${first.name}`);
}
