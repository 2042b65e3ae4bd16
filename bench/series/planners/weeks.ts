import { day } from "./components.ts";

/** The weeks of a year in which something changed: a bit each, of two numbers of 32 bits. */
export type Weeks = readonly [low: number, high: number];

export const noWeeks: Weeks = [0, 0];
/** 53 of them. */
export const allWeeks: Weeks = [-1, 0x1fffff];

export function joinWeeks(a: Weeks, b: Weeks): Weeks {
  return [a[0] | b[0], a[1] | b[1]];
}

export function countWeeks([low, high]: Weeks): number {
  return countBits(low) + countBits(high);
}

/** How many weeks have something in `a` or in `b`. */
export function countJoined(a: Weeks, b: Weeks): number {
  return countBits(a[0] | b[0]) + countBits(a[1] | b[1]);
}

function countBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The weeks that have one of the times (seconds since 1970), by their ISO number from 1 to 53. */
export function weeksOf(times: readonly number[]): Weeks {
  return times.map(numberWeek).reduce<Weeks>((all, week) => {
    const bit = week - 1;
    return joinWeeks(all, bit < 32 ? [1 << bit, 0] : [0, 1 << (bit - 32)]);
  }, noWeeks);
}

/** A week's number is that of its Thursday's year. */
function numberWeek(time: number): number {
  const days = Math.floor(time / day);
  // The first day of 1970 was a Thursday, the fourth of its week.
  const thursday = days - ((((days + 3) % 7) + 7) % 7) + 3;
  const year = new Date(thursday * day * 1000).getUTCFullYear();
  return Math.floor((thursday - Date.UTC(year, 0, 1) / 1000 / day) / 7) + 1;
}
