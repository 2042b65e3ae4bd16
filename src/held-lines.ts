/** A stream's whole lines: what has no end yet waits for it. */
export interface HeldLines {
  readonly write: (chunk: string | Uint8Array) => void;
  /** Gives what is left. */
  readonly end: () => void;
}

/** Bytes that are waited for. */
const longest = 64 * 1024;

const newline = "\n".charCodeAt(0);

/** Gives each chunk up to its last line end, together with what waited for it. */
export function holdLines(give: (lines: Uint8Array) => void): HeldLines {
  let rest = Buffer.alloc(0);
  const end = (): void => {
    const last = rest;
    rest = Buffer.alloc(0);
    if (last.length > 0) give(last);
  };
  return {
    write: (chunk) => {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk);
      const at = bytes.lastIndexOf(newline) + 1;
      if (at > 0) {
        const whole = Buffer.concat([rest, bytes.subarray(0, at)]);
        rest = Buffer.alloc(0);
        give(whole);
      }
      rest = Buffer.concat([rest, bytes.subarray(at)]);
      if (rest.length >= longest) end();
    },
    end,
  };
}

/** Gives each line by itself, without its end. */
export function holdEachLine(give: (line: Uint8Array) => void): HeldLines {
  return holdLines((lines) => {
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(newline, at);
      give(lines.subarray(at, end < 0 ? undefined : end));
      at = end < 0 ? lines.length : end + 1;
    }
  });
}
