/** What a terminal shows of what was sent to it: its lines from the first one on, and whether it has a cursor. */
export interface Shown {
  readonly lines: readonly string[];
  readonly hasCursor: boolean;
}

interface Terminal {
  readonly lines: string[];
  row: number;
  column: number;
  hasCursor: boolean;
}

// oxlint-disable-next-line no-control-regex
const sequence = /\u001b\[(\?)?([\d;]*)([A-Za-z])|\r\n|\r|\n|[^\u001b\r\n]+/gu;

/**
 * Plays what xbuild and the programs that it runs send (ECMA-48: CUU, CUD, CHA, EL, SGR; DEC modes for the cursor).
 * Lines are as long as they are: nothing is wrapped, so that one that is too long is seen to be. @throws for the rest
 */
export function playTerminal(sent: string): Shown {
  const terminal: Terminal = { lines: [""], row: 0, column: 0, hasCursor: true };
  for (const [text, isPrivate, parameters = "", command] of sent.matchAll(sequence)) {
    if (command === undefined) putText(terminal, text);
    else if (isPrivate !== undefined) setMode(terminal, parameters, command);
    else act(terminal, command, Number(parameters === "" ? 1 : parameters));
  }
  return { lines: terminal.lines, hasCursor: terminal.hasCursor };
}

function putText(terminal: Terminal, text: string): void {
  if (text === "\n" || text === "\r\n") {
    terminal.row += 1;
    terminal.lines[terminal.row] ??= "";
  }
  if (/^[\r\n]/.test(text)) {
    terminal.column = 0;
    return;
  }
  const line = terminal.lines[terminal.row] ?? "";
  const before = line.slice(0, terminal.column).padEnd(terminal.column);
  terminal.lines[terminal.row] = before + text + line.slice(terminal.column + text.length);
  terminal.column += text.length;
}

function setMode(terminal: Terminal, mode: string, command: string): void {
  if (mode === "25") terminal.hasCursor = command === "h";
  // Synchronized output: what is drawn is drawn at once.
  else if (mode !== "2026") throw new Error(`an unknown mode ${mode}`);
}

function act(terminal: Terminal, command: string, count: number): void {
  const { lines, row, column } = terminal;
  if (command === "A") terminal.row = Math.max(row - count, 0);
  else if (command === "B") terminal.row += count;
  else if (command === "G") terminal.column = count - 1;
  else if (command === "K") lines[row] = count === 2 ? "" : (lines[row] ?? "").slice(0, column);
  else if (command !== "m") throw new Error(`an unknown sequence: ${command}`);
}
