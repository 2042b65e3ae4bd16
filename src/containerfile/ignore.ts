import {
  literal,
  metacharacters,
  regular,
  toExpression,
  type Dialect,
} from "./ignore-expression.ts";

/**
 * The ignore file of a build context, by the rules of buildah: lines as openshift/imagebuilder reads
 * them, patterns as containers/storage's pattern matcher has them (Go's filepath.Match with `**`,
 * exceptions with `!`, and a pattern also matches all that is below).
 */

/** The patterns of an ignore file in its order: no comments, no blank lines, no slashes at the ends. */
export function parseIgnoreFile(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    if (line.startsWith("#")) return [];
    const pattern = line.replace(/^\/+/, "").replace(/(?<!\/)\/+$/, "");
    return pattern.trim() === "" ? [] : [pattern];
  });
}

/** Whether something below an ignored directory may be kept. */
export function hasExceptions(patterns: readonly string[]): boolean {
  return patterns.some((pattern) => pattern.trim().startsWith("!"));
}

/**
 * Whether a path, relative to the context and with slashes, is left out of it. The last pattern that
 * matches decides; what is below a left-out directory is kept only by an exception that begins with
 * that directory's path. Where versions of the engine read a pattern differently, the path is kept.
 * Throws an Error for a pattern that is not valid.
 */
export function createIgnoreMatcher(patterns: readonly string[]): (path: string) => boolean {
  const cleaned = patterns.flatMap((pattern) => cleanPattern(pattern) ?? []);
  const dialects = [literal, ...(cleaned.some(hasMetacharacters) ? [regular] : [])];
  const matchers = dialects.flatMap((dialect) => createMatcher(cleaned, dialect) ?? []);
  return (path) => matchers.every((matches) => matches(path));
}

interface CleanPattern {
  readonly isException: boolean;
  readonly text: string;
}

function cleanPattern(line: string): CleanPattern | undefined {
  const trimmed = line.trim();
  if (trimmed === "") return undefined;
  const cleaned = cleanPath(trimmed);
  const isException = cleaned.startsWith("!");
  if (cleaned === "!") throw new Error("the ignore pattern ! has no path");
  const text = isException ? cleanPath(cleaned.slice(1)).replace(/^\//, "") : cleaned;
  assertPattern(text);
  return { isException, text };
}

/** Go's filepath.Clean. */
function cleanPath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute) parts.push("..");
  }
  const joined = parts.join("/");
  return isAbsolute ? `/${joined}` : joined || ".";
}

/** What Go's filepath.Match accepts: closed sets of characters and ranges, no backslash at the end. */
function assertPattern(pattern: string): void {
  const isValid = /^(?:[^\\[]|\\[^]|\[(?:(?:\\[^]|[^\]\\-])(?:-(?:\\[^]|[^\]\\-]))?)+\])*$/u;
  if (!isValid.test(pattern)) {
    throw new Error(`the ignore pattern ${pattern} is not valid: a [ or \\ in it is not closed`);
  }
}

function hasMetacharacters({ text }: CleanPattern): boolean {
  return metacharacters.test(text);
}

interface IgnorePattern extends CleanPattern {
  readonly expression: RegExp;
}

/** undefined where the dialect makes no regular expression of a pattern: the engine refuses it, too. */
function createMatcher(
  cleaned: readonly CleanPattern[],
  dialect: Dialect,
): ((path: string) => boolean) | undefined {
  const patterns = compilePatterns(cleaned, dialect);
  if (patterns === undefined) return undefined;
  const exceptions = patterns
    .filter(({ isException }) => isException)
    .map(({ text }) => `${text}/`);
  const entersAll = patterns.some((one) => one.isException && isUnclear(one));
  return (path) => {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const parent = path.slice(0, slash);
      const isEntered = entersAll || exceptions.some((exception) => exception.startsWith(parent));
      if (!isEntered && matchPatterns(patterns, parent)) return true;
    }
    return matchPatterns(patterns, path);
  };
}

function compilePatterns(
  cleaned: readonly CleanPattern[],
  dialect: Dialect,
): readonly IgnorePattern[] | undefined {
  try {
    return cleaned.map((pattern) => ({ ...pattern, expression: compilePattern(pattern, dialect) }));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The engines hand `\\d` and the like on to their regular expressions: what they mean by it is kept. */
function isUnclear({ text }: CleanPattern): boolean {
  return /\\[0-9A-Za-z]/.test(text);
}

function compilePattern(pattern: CleanPattern, dialect: Dialect): RegExp {
  if (!isUnclear(pattern)) return toExpression(pattern.text, dialect);
  return pattern.isException ? /^/ : /(?!)/;
}

function matchPatterns(patterns: readonly IgnorePattern[], path: string): boolean {
  return patterns.findLast(({ expression }) => expression.test(path))?.isException === false;
}
