/** What becomes of a stream's lines, one character a byte. */
export interface LineRules {
  /** Whether a line that begins so may be one to look at: only then its end is waited for. */
  readonly mayMatter: (beginning: string) => boolean;
  /** A whole line without its end: the same, another, or undefined where it is held back or dropped. */
  readonly line: (line: string) => string | undefined;
}

export interface LineFilter {
  readonly write: (chunk: Uint8Array) => void;
  /** Gives what has no end. */
  readonly end: () => void;
}

/** Lines that are longer are none of those that are looked for. */
const longest = 64 * 1024;

/** Applies the rules to lines as they come. Whatever is none of those that matter goes on at once, byte for byte. */
export function filterLines(give: (bytes: Uint8Array) => void, rules: LineRules): LineFilter {
  let rest = "";
  // Whether the beginning of this line has gone on already.
  let isGone = false;
  const pass = (text: string): void => {
    if (text !== "") give(Buffer.from(text, "latin1"));
  };
  const take = (line: string): string => {
    const shown = isGone ? line : rules.line(line);
    isGone = false;
    return shown === undefined ? "" : `${shown}\n`;
  };
  return {
    write: (chunk) => {
      const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      const said = lines.map(take).join("");
      const isFree = rest !== "" && (isGone || rest.length > longest || !rules.mayMatter(rest));
      pass(isFree ? said + rest : said);
      if (!isFree) return;
      rest = "";
      isGone = true;
    },
    end: () => {
      pass(rest);
      rest = "";
      isGone = false;
    },
  };
}
