import type { CliIo } from "../io.ts";
import { usageError } from "./arguments.ts";

const seconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
};

/** Milliseconds: how long what nobody uses stays, unless somebody says otherwise. */
export const usualMaxAge = 30 * 86_400_000;

/** Milliseconds: numbers with s, m, h, d or w behind each, as in `7d` and, the way Go writes it, `1h30m`. Errors: `usage` */
export function parseAge(text: string, what: string): number {
  const parts = [...text.matchAll(/(?<!\d)(\d{1,6})([smhdw])/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  const sum = parts.reduce(
    (total, [, count, unit]) => total + Number(count) * (seconds[unit ?? ""] ?? 0),
    0,
  );
  if (isWhole) return sum * 1000;
  throw usageError(`${what} must be an age such as 12h or 7d, not "${text}"`);
}

/**
 * How long what builds left, and nobody uses, stays: what XBUILD_CACHE_MAX_AGE says, else a month.
 * @returns milliseconds; undefined where it shall stay for ever
 * @throws XbuildError `usage`
 */
export function readMaxAge(env: CliIo["env"]): number | undefined {
  const text = env["XBUILD_CACHE_MAX_AGE"] || undefined;
  if (text === "off") return undefined;
  return text === undefined ? usualMaxAge : parseAge(text, "XBUILD_CACHE_MAX_AGE");
}
