import { decodeBytes, skipSpaces } from "./text.ts";

/** `# name=value` at the head of a file: what BuildKit's directive parser keeps between lines. */
export interface DirectiveState {
  readonly escape: "\\" | "`";
  readonly seen: readonly string[];
  /** Scanning ends for good at the first line that is no known directive. */
  readonly done: boolean;
}

export interface DirectiveProblem {
  readonly code: "directive-duplicate" | "directive-escape-invalid";
  readonly message: string;
  readonly hint: string;
}

export interface DirectiveLine {
  readonly state: DirectiveState;
  readonly directive: { readonly name: string; readonly value: string } | undefined;
  readonly problem: DirectiveProblem | undefined;
}

export const noDirectives: DirectiveState = { escape: "\\", seen: [], done: false };

const known = new Set(["syntax", "escape", "check"]);

/** Reads one line of the file's head, without its leading white space and its end. */
export function readDirective(line: string, state: DirectiveState): DirectiveLine {
  const match = line.startsWith("#") ? matchDirective(line) : undefined;
  if (state.done || match === undefined || !known.has(match.name)) {
    return { state: { ...state, done: true }, directive: undefined, problem: undefined };
  }
  const problem = findProblem(match, state);
  const isEscape = match.name === "escape" && problem === undefined;
  const escape = isEscape && match.value === "`" ? "`" : state.escape;
  return {
    state: { escape, seen: [...state.seen, match.name], done: false },
    directive: match,
    problem,
  };
}

/** White space as Go's regexp has it: narrower than elsewhere. */
const space = /[\t\n\f\r ]/;

function matchDirective(line: string): { name: string; value: string } | undefined {
  const body = line.slice(skipSpaces(line, 1));
  const match = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=/.exec(body);
  if (match?.[1] === undefined) return undefined;
  let start = match[0].length;
  let end = body.length;
  while (start < end && space.test(body.charAt(start))) start += 1;
  while (end > start && space.test(body.charAt(end - 1))) end -= 1;
  // BuildKit takes the last of the spaces for the value, where there is nothing else.
  if (start === end && end > match[0].length) start -= 1;
  if (start === end) return undefined;
  return { name: match[1].toLowerCase(), value: body.slice(start, end) };
}

function findProblem(
  directive: { name: string; value: string },
  state: DirectiveState,
): DirectiveProblem | undefined {
  if (state.seen.includes(directive.name)) {
    return {
      code: "directive-duplicate",
      message: `the parser directive ${directive.name} is given twice`,
      hint: "keep one of the two lines",
    };
  }
  if (directive.name !== "escape" || /^[\\`]$/.test(directive.value)) return undefined;
  return {
    code: "directive-escape-invalid",
    message: `the escape character cannot be ${decodeBytes(directive.value)}`,
    hint: "write # escape=\\ or # escape=`",
  };
}
