/**
 * Whether a full name matches one of these patterns, in which `*` stands for any text and `?` for any
 * character; no pattern at all matches every name. `app:*` also means `localhost/app:*`, and a pattern
 * without a tag all tags.
 */
export function createNamePattern(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map(compilePattern);
  return (name) => {
    const short = name.replace(/^localhost\//, "");
    if (expressions.length === 0) return true;
    return expressions.some((expression) => expression.test(name) || expression.test(short));
  };
}

function compilePattern(pattern: string): RegExp {
  const hasTag = pattern.lastIndexOf(":") > pattern.lastIndexOf("/");
  const source = pattern.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : `\\${character}`;
  });
  // oxlint-disable-next-line xbuild/linear-patterns -- the user says what it matches: names of the store
  return new RegExp(`^${source}${hasTag ? "" : "(?::[^/]*)?"}$`, "u");
}
