/** Orders versions of Debian packages, by the rules of dpkg: negative where `one` is the older. */
export function compareVersions(one: string, two: string): number {
  const [first, second] = [divide(one), divide(two)];
  return (
    first.epoch - second.epoch ||
    compareParts(first.upstream, second.upstream) ||
    compareParts(first.revision, second.revision)
  );
}

function divide(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
  const at = rest.lastIndexOf("-");
  return at < 0
    ? { epoch: Number(epoch), upstream: rest, revision: "" }
    : { epoch: Number(epoch), upstream: rest.slice(0, at), revision: rest.slice(at + 1) };
}

/** Words and numbers in turn: of a word `~` is below its end, letters come next, then the rest. */
function compareParts(one: string, two: string): number {
  const [first, second] = [split(one), split(two)];
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    const order = compareWords(first[at]?.word ?? "", second[at]?.word ?? "");
    if (order !== 0) return order;
    const difference = (first[at]?.number ?? 0) - (second[at]?.number ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function split(part: string): readonly { word: string; number: number }[] {
  return [...part.matchAll(/(\D*)(\d*)/g)].map(([, word = "", number]) => ({
    word,
    number: Number(number),
  }));
}

function compareWords(one: string, two: string): number {
  for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
    const difference = rank(one[at]) - rank(two[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(letter: string | undefined): number {
  if (letter === undefined) return 0;
  if (letter === "~") return -1;
  const code = letter.charCodeAt(0);
  return /[a-z]/i.test(letter) ? code : code + 256;
}
