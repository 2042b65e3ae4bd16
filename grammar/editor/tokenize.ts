import type { TextMateGrammar, TextMateRule } from "./textmate.ts";

/** A stretch of a line and the scopes that it has, outermost first. */
export interface ScopedText {
  /** Whether it opens a rule that goes on behind it. */
  readonly opens: boolean;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly scopes: readonly string[];
}

interface OpenRule {
  readonly rule: TextMateRule;
  readonly end: RegExp | undefined;
  readonly scopes: readonly string[];
}

/** A rule that matches: where it begins, or where an open one ends. */
interface RuleMatch {
  readonly rule: TextMateRule;
  readonly match: RegExpExecArray;
  readonly isEnd: boolean;
}

/** A text while it is tokenized. */
interface Tokenizer {
  readonly grammar: TextMateGrammar;
  readonly stack: OpenRule[];
  readonly scoped: ScopedText[];
}

/**
 * Runs a grammar over a text as editors do, line by line: the leftmost match wins, and among equals
 * the open rule's end, then the order of the patterns. Only captures and whole rules get scopes.
 */
export function tokenizeText(text: string, grammar: TextMateGrammar): ScopedText[] {
  const root: OpenRule = { rule: { patterns: grammar.patterns }, end: undefined, scopes: [] };
  const tokenizer: Tokenizer = { grammar, stack: [root], scoped: [] };
  for (const [index, content] of text.split("\n").entries()) {
    tokenizeLine(tokenizer, `${content}\n`, index + 1);
  }
  return tokenizer.scoped;
}

function tokenizeLine({ grammar, stack, scoped }: Tokenizer, line: string, number: number): void {
  for (let at = 0; at < line.length;) {
    const open = stack.at(-1);
    const next = open && findNext(line, at, listMatchers(open, grammar));
    if (open === undefined || next === undefined) return;
    const { rule, match, isEnd } = next;
    const scopes = [...open.scopes, ...(rule.name === undefined || isEnd ? [] : [rule.name])];
    scoped.push(...findScopes(next, scopes, number));
    if (isEnd) stack.pop();
    else if (rule.begin !== undefined) stack.push(openRule(rule, match, scopes));
    const end = match.index + match[0].length;
    // A match of nothing that changes nothing would be found for ever.
    at = end === at && !isEnd && rule.begin === undefined ? at + 1 : end;
  }
}

function openRule(rule: TextMateRule, match: RegExpExecArray, scopes: readonly string[]): OpenRule {
  const end = (rule.end ?? "").replaceAll(/\\([1-9])/g, (_, group: string) =>
    (match[Number(group)] ?? "").replaceAll(/[.*+?^${}()|[\]\\-]/g, "\\$&"),
  );
  const inner = rule.contentName === undefined ? scopes : [...scopes, rule.contentName];
  return { rule, end: compile(end), scopes: inner };
}

/** What may match next, before it has. */
interface Matcher extends Omit<RuleMatch, "match"> {
  readonly pattern: RegExp;
}

/** In the order in which they win. */
function listMatchers({ rule, end }: OpenRule, grammar: TextMateGrammar): readonly Matcher[] {
  const matchers = listRules(rule.patterns ?? [], grammar).map((inner) => ({
    rule: inner,
    pattern: compile(inner.match ?? inner.begin ?? "(?!)"),
    isEnd: false,
  }));
  return end === undefined ? matchers : [{ rule, pattern: end, isEnd: true }, ...matchers];
}

function findNext(line: string, at: number, matchers: readonly Matcher[]): RuleMatch | undefined {
  let best: RuleMatch | undefined;
  for (const { rule, pattern, isEnd } of matchers) {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match !== null && match.index < (best?.match.index ?? Infinity)) {
      best = { rule, match, isEnd };
    }
  }
  return best;
}

function listRules(patterns: readonly TextMateRule[], grammar: TextMateGrammar): TextMateRule[] {
  return patterns.flatMap((rule) => {
    if (rule.include === undefined) return [rule];
    return listRules(grammar.repository[rule.include.slice(1)]?.patterns ?? [], grammar);
  });
}

const compiled = new Map<string, RegExp>();

/** The patterns keep to what Oniguruma and JavaScript have in common, but for `(?i)` at the start. */
function compile(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const ignoresCase = pattern.startsWith("(?i)");
  // oxlint-disable-next-line xbuild/linear-patterns -- the grammar is our own
  const expression = new RegExp(
    ignoresCase ? pattern.slice(4) : pattern,
    ignoresCase ? "dgi" : "dg",
  );
  compiled.set(pattern, expression);
  return expression;
}

function findScopes(
  { match, rule, isEnd }: RuleMatch,
  scopes: readonly string[],
  line: number,
): ScopedText[] {
  const captures = isEnd ? rule.endCaptures : (rule.beginCaptures ?? rule.captures);
  const end = match.index + match[0].length;
  const opens = rule.begin !== undefined && !isEnd;
  const whole = { opens, line, start: match.index, end, scopes };
  const parts = Object.entries(captures ?? {}).flatMap(([group, { name }]) => {
    const [from, to] = match.indices?.[Number(group)] ?? [];
    if (from === undefined || to === undefined) return [];
    return [{ opens: false, line, start: from, end: to, scopes: [...scopes, name] }];
  });
  return [whole, ...parts];
}
