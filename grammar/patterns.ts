/**
 * The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`: `*`, `?` and
 * characters, no brackets. Matching takes time in proportion to pattern times text, whatever they are.
 */
type PatternPart =
  | { readonly kind: "any" | "one" }
  | { readonly kind: "literal"; readonly character: string };
export type Pattern = readonly PatternPart[];

/** Throws an Error for an escape before anything but `*`, `?`, `\`, `/` and `}`. */
export function parsePattern(text: string): Pattern {
  const characters = Array.from(text);
  const parts: PatternPart[] = [];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? "";
    if (character !== "\\") {
      parts.push(toPart(character));
      continue;
    }
    const next = characters[index + 1] ?? "";
    // `}` and `/` are escaped for the substitution's sake; their backslash is no part of the pattern.
    if (next === "}" || next === "/") continue;
    if (next !== "*" && next !== "?" && next !== "\\") {
      throw new Error(`invalid escape \\${next} in the pattern ${text}`);
    }
    parts.push({ kind: "literal", character: next });
    index += 1;
  }
  return parts;
}

function toPart(character: string): PatternPart {
  if (character === "*") return { kind: "any" };
  if (character === "?") return { kind: "one" };
  return { kind: "literal", character };
}

/** Which one of several matches is meant. */
export type Extent = "shortest" | "longest";

/** `value` without its shortest or longest beginning that matches. */
export function trimPrefix(value: string, pattern: Pattern, extent: Extent): string {
  const characters = Array.from(value);
  const ends = matchAt(characters, 0, pattern);
  if (typeof ends === "string") return value;
  return characters.slice(pickEnd(ends, extent)).join("");
}

/** The pattern read from its end; a backslash stays before what it escapes. */
export function reversePattern(text: string): string {
  return (text.match(/\\[^]|[^]/gu) ?? []).toReversed().join("");
}

/** `value` without its shortest or longest end that matches a pattern of {@link reversePattern}. */
export function trimSuffix(value: string, reversedPattern: Pattern, extent: Extent): string {
  const reversed = Array.from(value).toReversed();
  const ends = matchAt(reversed, 0, reversedPattern);
  if (typeof ends === "string") return value;
  return reversed.slice(pickEnd(ends, extent)).toReversed().join("");
}

/** `value` with its leftmost, longest match replaced. */
export function replaceFirst(value: string, pattern: Pattern, replacement: string): string {
  const characters = Array.from(value);
  const match = findMatch(characters, 0, pattern);
  if (match === undefined) return value;
  const { start, end } = match;
  return characters.slice(0, start).join("") + replacement + characters.slice(end).join("");
}

/**
 * `value` with all matches replaced. As in Go's regexp, an empty match counts only where no other
 * match has just ended, and `$0`, `$name`, `$$` in the replacement are templates.
 */
export function replaceAll(value: string, pattern: Pattern, replacement: string): string {
  const characters = Array.from(value);
  const parts: string[] = [];
  let copied = 0;
  let match = findMatch(characters, 0, pattern);
  while (match !== undefined) {
    const { start, end } = match;
    parts.push(characters.slice(copied, start).join(""));
    if (end > copied || start === 0) {
      parts.push(fillTemplate(replacement, characters.slice(start, end).join("")));
    }
    copied = end;
    match = findMatch(characters, end > start ? end : start + 1, pattern);
  }
  return parts.join("") + characters.slice(copied).join("");
}

function findMatch(
  characters: readonly string[],
  from: number,
  pattern: Pattern,
): { start: number; end: number } | undefined {
  for (let start = from; start <= characters.length; start += 1) {
    const ends = matchAt(characters, start, pattern);
    if (typeof ends !== "string") return { start, end: pickEnd(ends, "longest") };
    // What follows a `*` is nowhere in the rest of this line: no later start in it can do better.
    if (ends === "not-in-line") {
      const newline = characters.indexOf("\n", start);
      if (newline === -1) return undefined;
      start = newline;
    }
  }
  return undefined;
}

function fillTemplate(template: string, match: string): string {
  return template.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare, braced) => {
    if (whole === "$$") return "$";
    return (bare ?? braced) === "0" ? match : "";
  });
}

/** Where the matches that begin at `start` end; never an empty set. `*` and `?` match no newline. */
function matchAt(
  characters: readonly string[],
  start: number,
  pattern: Pattern,
): ReadonlySet<number> | "not-here" | "not-in-line" {
  let reachable = new Set([start]);
  let afterAny = false;
  for (const part of pattern) {
    const isAny = part.kind === "any";
    afterAny ||= isAny;
    reachable = isAny ? stepAny(characters, reachable) : stepOne(characters, reachable, part);
    if (reachable.size === 0) return afterAny ? "not-in-line" : "not-here";
  }
  return reachable;
}

function pickEnd(ends: ReadonlySet<number>, extent: Extent): number {
  const pick = extent === "longest" ? Math.max : Math.min;
  return [...ends].reduce((a, b) => pick(a, b));
}

function stepAny(characters: readonly string[], from: ReadonlySet<number>): Set<number> {
  const reached = new Set<number>();
  for (const position of from) {
    for (let at = position; !reached.has(at); at += 1) {
      reached.add(at);
      if (at >= characters.length || characters[at] === "\n") break;
    }
  }
  return reached;
}

function stepOne(
  characters: readonly string[],
  from: ReadonlySet<number>,
  part: PatternPart,
): Set<number> {
  const reached = new Set<number>();
  for (const position of from) {
    const character = characters[position];
    if (character === undefined) continue;
    const matches = part.kind === "literal" ? part.character === character : character !== "\n";
    if (matches) reached.add(position + 1);
  }
  return reached;
}
