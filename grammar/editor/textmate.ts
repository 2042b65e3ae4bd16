import { outputFlags } from "../output-tokens.ts";

/** A TextMate grammar, as far as this one needs the format. */
export interface TextMateRule {
  readonly name?: string;
  readonly contentName?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: TextMateCaptures;
  readonly beginCaptures?: TextMateCaptures;
  readonly endCaptures?: TextMateCaptures;
  readonly patterns?: readonly TextMateRule[];
}

export type TextMateCaptures = Readonly<Record<string, { readonly name: string }>>;

export interface TextMateGrammar {
  readonly name: string;
  readonly scopeName: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly TextMateRule[];
  readonly repository: Readonly<Record<string, { readonly patterns: readonly TextMateRule[] }>>;
}

const keywords =
  "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR";

/** A blank line ends nothing: within a continued instruction it is skipped. */
const lineEnd = "(?<=[^\\n])\\n";

/**
 * The grammar for editors. Everything is there twice, for files that escape with a backslash and for
 * those that do with a backtick. A line's end is matched as `\n`: editors hand lines over with it, and
 * what consumes it (a continuation, a comment within one) keeps the instruction open.
 */
export function createTextMateGrammar(): TextMateGrammar {
  return {
    name: "Containerfile",
    scopeName: "source.containerfile",
    fileTypes: ["containerfile", "Containerfile", "Containerfile.x", "dockerfile", "Dockerfile"],
    patterns: [
      {
        // The directive stands at the head of the file, and what it says holds to the end.
        begin: "(?i)^[ \\t]*(#)[ \\t]*(escape)[ \\t]*(=)[ \\t]*(`)[ \\t]*\\n",
        end: "(?!)",
        beginCaptures: {
          1: { name: "punctuation.definition.comment.containerfile" },
          2: { name: "keyword.control.directive.containerfile" },
          3: { name: "keyword.operator.assignment.containerfile" },
          4: { name: "constant.character.escape.containerfile" },
        },
        patterns: [{ include: "#backtick" }],
      },
      { include: "#backslash" },
    ],
    repository: { ...createRepository("backslash", "\\\\"), ...createRepository("backtick", "`") },
  };
}

function createRepository(name: string, escape: string): TextMateGrammar["repository"] {
  const escaped = { name: "constant.character.escape.containerfile", match: `${escape}[^\\n]` };
  return {
    [name]: {
      patterns: [
        directive,
        comment,
        createOutput(name),
        createOnbuild(name),
        createInstruction(name, "RUN|COPY|ADD", [{ include: `#${name}-heredocs` }]),
        createInstruction(name, keywords, []),
        createUnknown(name),
      ],
    },
    [`${name}-continuation`]: {
      patterns: [
        // Two escape characters at the end are none.
        { match: `${escape}${escape}[ \\t]*(?=\\n)` },
        { name: "punctuation.separator.continuation.containerfile", match: `${escape}[ \\t]*\\n` },
        { name: "comment.line.number-sign.containerfile", match: "^[ \\t]*#[^\\n]*\\n" },
        { match: "^[ \\t]*\\n" },
      ],
    },
    [`${name}-words`]: {
      patterns: [
        { include: `#${name}-continuation` },
        escaped,
        createString(name, { kind: "double", quote: '"', patterns: [escaped] }),
        createString(name, { kind: "single", quote: "'", patterns: [] }),
        { name: "variable.other.containerfile", match: "\\$(?:[A-Za-z_0-9]+|\\{[^}\\n]*\\})" },
        {
          match: "(?:^|(?<=[ \\t]))(--[A-Za-z][A-Za-z0-9-]*)(=)?",
          captures: {
            1: { name: "variable.parameter.flag.containerfile" },
            2: { name: "keyword.operator.assignment.containerfile" },
          },
        },
      ],
    },
    [`${name}-heredocs`]: { patterns: [createHeredoc("several"), createHeredoc("one")] },
  };
}

const directive: TextMateRule = {
  match: "(?i)^[ \\t]*(#)[ \\t]*(syntax|escape|check)[ \\t]*(=)[ \\t]*([^\\n]*)\\n",
  captures: {
    1: { name: "punctuation.definition.comment.containerfile" },
    2: { name: "keyword.control.directive.containerfile" },
    3: { name: "keyword.operator.assignment.containerfile" },
    4: { name: "string.unquoted.directive.containerfile" },
  },
};

const comment: TextMateRule = {
  name: "comment.line.number-sign.containerfile",
  match: "^[ \\t]*#[^\\n]*\\n",
};

function createOutput(name: string): TextMateRule {
  const flags = Object.keys(outputFlags).join("|");
  const value = "(?:(=)(\"[^\"\\n]*\"|'[^'\\n]*'|[^ \\t\\n\\\\`]*))?";
  return {
    name: "meta.instruction.output.containerfile",
    begin: "(?i)^[ \\t]*(OUTPUT)(?=[ \\t\\n\\\\`])",
    end: lineEnd,
    beginCaptures: { 1: { name: "keyword.other.output.containerfile" } },
    patterns: [
      { include: `#${name}-continuation` },
      {
        match: `(?:^|(?<=[ \\t]))(--(?:${flags}))(?=[= \\t\\n])${value}`,
        captures: {
          1: { name: "variable.parameter.flag.containerfile" },
          2: { name: "keyword.operator.assignment.containerfile" },
          3: { name: "string.unquoted.value.containerfile" },
        },
      },
      {
        match: "(?:^|(?<=[ \\t]))(--[^= \\t\\n\\\\`]+)",
        captures: { 1: { name: "invalid.illegal.flag.containerfile" } },
      },
      { name: "variable.other.containerfile", match: "\\$(?:[A-Za-z_0-9]+|\\{[^}\\n]*\\})" },
      {
        name: "string.unquoted.path.containerfile",
        match: '(?:^|(?<=[ \\t"\\[]))/[^ \\t\\n"$\\\\]*',
      },
    ],
  };
}

function createOnbuild(name: string): TextMateRule {
  return {
    name: "meta.instruction.onbuild.containerfile",
    begin: `(?i)^[ \\t]*(ONBUILD)[ \\t]+(?:(OUTPUT)|(${keywords})|[^ \\t\\n\\\\\`]*)(?=[ \\t\\n\\\\\`])`,
    end: lineEnd,
    beginCaptures: {
      1: { name: "keyword.other.instruction.containerfile" },
      2: { name: "invalid.illegal.trigger.containerfile" },
      3: { name: "keyword.other.trigger.containerfile" },
    },
    patterns: [{ include: `#${name}-heredocs` }, { include: `#${name}-words` }],
  };
}

function createInstruction(
  name: string,
  words: string,
  patterns: readonly TextMateRule[],
): TextMateRule {
  return {
    name: "meta.instruction.containerfile",
    begin: `(?i)^[ \\t]*(${words})(?=[ \\t\\n])`,
    end: lineEnd,
    beginCaptures: { 1: { name: "keyword.other.instruction.containerfile" } },
    patterns: [...patterns, { include: `#${name}-words` }],
  };
}

function createUnknown(name: string): TextMateRule {
  return {
    name: "meta.instruction.unknown.containerfile",
    begin: "^[ \\t]*(?=[^ \\t\\n#])",
    end: lineEnd,
    patterns: [{ include: `#${name}-words` }],
  };
}

interface StringKind {
  readonly kind: "double" | "single";
  readonly quote: string;
  /** What counts between the quotes. */
  readonly patterns: readonly TextMateRule[];
}

/** A quote that is not closed ends with its instruction. */
function createString(name: string, { kind, quote, patterns }: StringKind): TextMateRule {
  return {
    name: `string.quoted.${kind}.containerfile`,
    begin: quote,
    end: `${quote}|(?=\\n)`,
    patterns: [{ include: `#${name}-continuation` }, ...patterns],
  };
}

/** Several heredocs of a line are one body, up to the word of the last. */
function createHeredoc(count: "one" | "several"): TextMateRule {
  const mark = "<<(?:-|[ \\t]*)[\"']?([A-Za-z_][A-Za-z0-9_.-]*)[\"']?";
  const before = count === "several" ? `${mark}[^\\n]*` : "";
  const word = count === "several" ? "\\2" : "\\1";
  return {
    name: "meta.heredoc.containerfile",
    contentName: "string.unquoted.heredoc.containerfile",
    begin: `(?<![<"'A-Za-z_])${before}${mark}(?![^ \\t\\n<>|;&)])[^\\n]*\\n`,
    end: `^\\t*${word}(?=\\r?\\n)`,
  };
}
