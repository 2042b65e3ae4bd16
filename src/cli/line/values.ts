import { exitStatuses, XbuildError } from "../../errors.ts";
import { suggestName } from "../../suggest.ts";
import { readInput } from "../../system/read-input.ts";
import { usageError } from "./arguments.ts";

/** `NAME=VALUE` in two; the value is undefined where there is no `=`. */
export function splitPair(word: string): readonly [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** The error for a value that is none of those that a flag takes. @param what the flag, dashes included */
export function refuseValue(what: string, value: string, allowed: readonly string[]): XbuildError {
  const near = suggestName(value, allowed);
  const list = `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`;
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return usageError(`${what} cannot be ${value}`, `use ${list}${meant}`);
}

/** A whole number, at least `least`. */
export function parseCount(text: string, what: string, least = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw usageError(`${what} must be a whole number of at least ${least}, not "${text}"`);
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Bytes: a number with b, k, m, g or t behind it, as the engines write sizes. */
export function parseSize(text: string, what: string): number {
  const groups = /^(?<count>\d+)(?<unit>[bkmgt]?)(?:i?b)?$/i.exec(text)?.groups;
  const bytes =
    Number(groups?.["count"]) * (units[groups?.["unit"]?.toLowerCase() ?? ""] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw usageError(`${what} must be a size such as 512m or 10g, not "${text}"`);
}

const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds: a time as Go writes it, `2s` or `1m30s`. */
export function parseDuration(text: string, what: string): number {
  const parts = [...text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  if (!isWhole) throw usageError(`${what} must be a time such as 500ms or 2s, not "${text}"`);
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (durations[unit ?? ""] ?? 0),
    0,
  );
}

/** Lines `NAME=VALUE` or `NAME`; blank lines and those that begin with # are left out (buildah's form). */
export async function readArgumentFile(
  path: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let text;
  try {
    text = (await readInput(path, signal)).toString("utf8");
  } catch (cause) {
    signal.throwIfAborted();
    throw new XbuildError("file-not-found", `cannot read the argument file ${path}`, {
      exitStatus: exitStatuses.usage,
      hint: "name a file with a line NAME=VALUE for each argument",
      cause,
    });
  }
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"))
    .map((line) => line.trimStart());
}
