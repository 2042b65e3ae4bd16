/** Takes bytes as they come, and hands them on a line at a time. */
export interface LineSplitter {
  readonly write: (bytes: Buffer) => void;
  /** No more will come: what has no end yet is the last line. */
  readonly end: () => void;
}

/** Records of progress are far shorter; one that a step fills as it likes is not held in memory. In bytes. */
export const maxLineLength = 16 * 1024 ** 2;

const newline = 0x0a;

/** Lines end with a newline, before which a carriage return may stand. Of a longer one its beginning is the line. */
export function createLineSplitter(
  onLine: (line: string) => void,
  maxLength = maxLineLength,
): LineSplitter {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (bytes: Buffer): void => {
    const kept = bytes.subarray(0, maxLength - length);
    if (kept.length === 0) return;
    parts.push(kept);
    length += kept.length;
  };
  const finish = (): void => {
    const line = Buffer.concat(parts, length).toString("utf8");
    parts = [];
    length = 0;
    onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  };
  return {
    write: (bytes) => {
      let start = 0;
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
        add(bytes.subarray(start, end));
        finish();
        start = end + 1;
      }
      add(bytes.subarray(start));
    },
    end: () => {
      if (length > 0) finish();
    },
  };
}
