import { Group } from "./clairvoyant-group.ts";
import type { Pattern } from "./patterns.ts";

/** Bytes. What gains less may be an error of rounding, and be gained again and again. */
const enough = 0.001;

/**
 * At most `most` layers of patterns that cost little to push over all steps: the two whose union costs the least more
 * become one until they are few enough; then patterns are moved to where they cost less, and exchanged, until neither
 * makes it less. A heuristic: it may miss the least.
 */
export function partitionPatterns(
  patterns: readonly Pattern[],
  most: number,
): readonly (readonly Pattern[])[] {
  const groups = agglomerate(patterns, most);
  while (moveAll(groups) || exchangeAll(groups));
  return groups.map(({ members }) => members).filter((members) => members.length > 0);
}

function agglomerate(patterns: readonly Pattern[], most: number): readonly Group[] {
  const groups = patterns.map((pattern) => {
    const group = new Group(pattern.changes.length);
    group.add(pattern);
    return group;
  });
  const more = groups.map((one, at) => groups.slice(0, at).map((other) => costMore(one, other)));
  while (groups.length > most) {
    const [into, from] = findLeast(more);
    const [kept, gone] = [groups[into], groups[from]];
    if (kept === undefined || gone === undefined) break;
    for (const pattern of gone.members) kept.add(pattern);
    groups.splice(from, 1);
    more.splice(from, 1);
    for (const row of more.slice(from)) row.splice(from, 1);
    for (const [at, other] of groups.entries()) {
      const [low, high] = at < into ? [at, into] : [into, at];
      const row = more[high];
      if (at !== into && row !== undefined) row[low] = costMore(kept, other);
    }
  }
  return groups;
}

function costMore(one: Group, other: Group): number {
  return one.costWith(other) - one.cost - other.cost;
}

/** The smaller index first. */
function findLeast(more: readonly (readonly number[])[]): readonly [number, number] {
  let [least, best] = [Infinity, [0, 0] as readonly [number, number]];
  for (const [high, row] of more.entries()) {
    for (const [low, cost] of row.entries()) {
      if (cost < least) [least, best] = [cost, [low, high]];
    }
  }
  return best;
}

/** Moves each pattern to the layer where it costs the least. Whether there was any. */
function moveAll(groups: readonly Group[]): boolean {
  let isLess = false;
  for (const group of groups) {
    for (const pattern of group.members.slice()) {
      const gain = group.cost - group.costOf(undefined, pattern);
      let [least, best] = [gain, group];
      for (const other of groups) {
        const cost = other === group ? gain : other.costOf(pattern) - other.cost;
        if (cost < least - enough) [least, best] = [cost, other];
      }
      if (best === group) continue;
      group.remove(pattern);
      best.add(pattern);
      isLess = true;
    }
  }
  return isLess;
}

/** Exchanges two patterns of different layers wherever both together cost less then. Whether there were any. */
function exchangeAll(groups: readonly Group[]): boolean {
  let isLess = false;
  for (const [at, one] of groups.entries()) {
    for (const other of groups.slice(at + 1)) {
      while (exchangeOne(one, other)) isLess = true;
    }
  }
  return isLess;
}

function exchangeOne(one: Group, other: Group): boolean {
  for (const own of one.members) {
    for (const theirs of other.members) {
      const cost = one.costOf(theirs, own) + other.costOf(own, theirs);
      if (cost >= one.cost + other.cost - enough) continue;
      one.remove(own);
      other.remove(theirs);
      one.add(theirs);
      other.add(own);
      return true;
    }
  }
  return false;
}
