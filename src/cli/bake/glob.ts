/** What one part of a pattern takes: any text, or one character. */
type Part = "any" | ((character: string) => boolean);

/** Whether a pattern has anything that stands for more than itself. */
export function isPattern(text: string): boolean {
  return /[*?[\]]/.test(text);
}

/**
 * Whether a name matches a pattern of Go's `path.Match`: `*` any text, `?` any character, `[a-c]` and `[^a-c]` one of
 * a class, `\` the next character. In time that is the product of their lengths. False where the pattern is not valid.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = parsePattern(pattern);
  if (parts === undefined) return false;
  let at = 0;
  let part = 0;
  let lastAny = -1;
  let lastAt = 0;
  while (at < name.length) {
    const one = parts[part];
    if (one === "any") {
      lastAny = part;
      lastAt = at;
      part += 1;
    } else if (one?.(name[at] ?? "") === true) {
      at += 1;
      part += 1;
    } else if (lastAny >= 0) {
      lastAt += 1;
      at = lastAt;
      part = lastAny + 1;
    } else return false;
  }
  return parts.slice(part).every((one) => one === "any");
}

/** Whether it is one. */
export function isValidPattern(pattern: string): boolean {
  return parsePattern(pattern) !== undefined;
}

const partPattern = /\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|([^[\\])/gsy;

function parsePattern(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  let end = 0;
  for (const match of pattern.matchAll(partPattern)) {
    const [whole, negated = "", members, escaped, plain] = match;
    if (whole === "*") parts.push("any");
    else if (whole === "?") parts.push(() => true);
    else if (members !== undefined) parts.push(createClass(members, negated !== ""));
    else parts.push((character) => character === (escaped ?? plain));
    end = match.index + whole.length;
  }
  return end === pattern.length ? parts : undefined;
}

function createClass(members: string, isNegated: boolean): Part {
  const ranges = [...members.matchAll(/\\?(.)(?:-\\?(.))?/gs)].map(
    ([, low = "", high = low]) => [low, high] as const,
  );
  return (character) =>
    ranges.some(([low, high]) => low <= character && character <= high) !== isNegated;
}
