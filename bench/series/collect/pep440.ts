const phases = ["dev", "a", "b", "rc", "", "post"];

/** Whether a version is for all to use: no `rc1`, no `.dev3`. */
export function isFinal(version: string): boolean {
  return /^(\d+!)?\d+(\.\d+)*(\.post\d+)?$/.test(version);
}

/** Orders versions of Python packages as they are in names of files: negative where `one` is the older. */
export function comparePep440(one: string, two: string): number {
  const [first, second] = [divide(one), divide(two)];
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    const difference = (first[at] ?? 0) - (second[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The epoch, eight parts of the release, its phase and the phase's number. */
function divide(version: string): readonly number[] {
  const [, epoch = "0", release = "", phase = "", number = "0"] =
    /^(?:(\d+)!)?(\d+(?:\.\d+)*)[.\-_]?([a-z]*)\.?(\d*)/.exec(version.toLowerCase()) ?? [];
  const parts = release.split(".").map(Number);
  const all = Array.from({ length: 8 }, (_, at) => parts[at] ?? 0);
  return [Number(epoch), ...all, phases.indexOf(phase), Number(number)];
}
