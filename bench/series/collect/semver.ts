/** Whether a version is for all to use: without `-rc.1` and the like. */
export function isStable(version: string): boolean {
  return /^\d+\.\d+\.\d+(\+|$)/.test(version);
}

/** Orders versions of npm packages: negative where `one` is the older. */
export function compareSemver(one: string, two: string): number {
  const [first, second] = [divide(one), divide(two)];
  const order = compareParts(first.numbers, second.numbers);
  if (order !== 0) return order;
  // What comes before a version is older than the version.
  if (first.before.length === 0 || second.before.length === 0) {
    return second.before.length - first.before.length;
  }
  return compareParts(first.before, second.before);
}

function divide(version: string): {
  readonly numbers: readonly string[];
  readonly before: readonly string[];
} {
  const [, numbers = "", before] = /^([^-+]*)(?:-([^+]*))?/.exec(version) ?? [];
  return { numbers: numbers.split("."), before: before?.split(".") ?? [] };
}

/** Numbers by their value and before words; where all are equal, the longer is the newer. */
function compareParts(one: readonly string[], two: readonly string[]): number {
  for (const [at, part] of one.entries()) {
    const other = two[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
    if (isNumber && isOtherNumber) return Number(part) - Number(other);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return part < other ? -1 : 1;
  }
  return one.length - two.length;
}
