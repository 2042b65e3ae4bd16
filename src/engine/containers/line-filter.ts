/** What becomes of a stream's lines, one character a byte. */
export interface LineRules {
  /** Whether what begins so may be a line to look at: only then its end is waited for. */
  readonly mayMatter: (beginning: string) => boolean;
  /** @returns what goes on of a line, with its end; the line has none */
  readonly line: (line: string) => string;
}

export interface LineFilter {
  readonly write: (chunk: Uint8Array) => void;
  /** Gives what has no end. */
  readonly end: () => void;
}

/** Lines that are longer are none of those that are looked for. */
const longest = 64 * 1024;

/**
 * Applies the rules to lines as they come. Whatever is none of those that matter goes on at once, byte for byte. What
 * comes next may then be a line of somebody else's: it is looked at like any.
 */
export function filterLines(give: (bytes: Uint8Array) => void, rules: LineRules): LineFilter {
  let rest = "";
  const pass = (text: string): void => {
    if (text !== "") give(Buffer.from(text, "latin1"));
  };
  return {
    write: (chunk) => {
      const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      const said = lines.map(rules.line).join("");
      const mustWait = rest.length <= longest && rules.mayMatter(rest);
      pass(mustWait ? said : said + rest);
      if (!mustWait) rest = "";
    },
    end: () => {
      pass(rest);
      rest = "";
    },
  };
}
