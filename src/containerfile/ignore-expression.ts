/** How characters other than `*`, `?`, `[` and `\` get into the regular expression. */
export type Dialect = (character: string) => string;

/** What is special in a regular expression and not in a pattern. */
export const metacharacters = /[+(){}|^]/;

/** Newer versions of containers/storage match them as they are. */
export function literal(character: string): string {
  return /[.+(){}|^$/\]]/.test(character) ? `\\${character}` : character;
}

/** Older versions of containers/storage let these through into their regular expression. */
export function regular(character: string): string {
  return metacharacters.test(character) ? character : literal(character);
}

/** A valid pattern's tokens: `**` with its slash, an escaped character, a set (it is closed), or one character. */
const token = /\*\*\/?|\\[^]|\[(?:\\[^]|[^\]\\])+\]?|[^]/gu;

/** What a valid pattern matches, and all that is below. Throws a SyntaxError where the dialect makes none of it. */
export function toExpression(pattern: string, dialect: Dialect): RegExp {
  const tokens = pattern.match(token) ?? [];
  const parts = tokens.map((part, index) => {
    const isLast = index === tokens.length - 1;
    if (part.startsWith("**")) return isLast ? "[^\\n]*" : "(?:[^\\n]*/)?";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.startsWith("\\")) return escapeCharacter(part.slice(1));
    return part.length > 1 && part.startsWith("[") ? toSet(part) : dialect(part);
  });
  // oxlint-disable-next-line xbuild/linear-patterns -- the user's own file says what it matches
  return new RegExp(`^${parts.join("")}(?:/[^\\n]*)?$`, "u");
}

function escapeCharacter(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

/** `[^a-c\]]` as a set of a regular expression; a range whose ends are swapped holds nothing. */
function toSet(set: string): string {
  const isNegated = set.startsWith("[^");
  const ranges = set.slice(isNegated ? 2 : 1, -1).match(/(?:\\[^]|[^\\-])(?:-(?:\\[^]|[^\\-]))?/gu);
  const parts = (ranges ?? []).map((range) => {
    const [first = "", last] = Array.from(
      range.matchAll(/\\([^])|([^\\-])/gu),
      (match) => match[1] ?? match[2] ?? "",
    );
    return last === undefined ? escapeSet(first) : toRange(first, last);
  });
  const joined = parts.join("");
  if (joined === "") return isNegated ? "[^]" : "(?!)";
  return `[${isNegated ? "^" : ""}${joined}]`;
}

function toRange(first: string, last: string): string {
  const isEmpty = (first.codePointAt(0) ?? 0) > (last.codePointAt(0) ?? 0);
  return isEmpty ? "" : `${escapeSet(first)}-${escapeSet(last)}`;
}

function escapeSet(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}
