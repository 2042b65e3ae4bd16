import { limitText } from "../text.ts";

/** What a program says on its standard error, of which no more is held than the line that tells why it failed. */
export interface Words {
  readonly add: (text: string) => void;
  /** The last fatal message, else the last line, without logrus's framing; cut in its middle where it is long. */
  readonly last: () => string;
}

const fatal = "level=fatal";

/** It has heard nothing yet. A registry decides how long a line is and how many there are. */
export function createWords(): Words {
  let kept = "";
  let line = "";
  const endLine = (): void => {
    if (line.trim() !== "" && (line.includes(fatal) || !kept.includes(fatal))) kept = line;
    line = "";
  };
  return {
    add: (text) => {
      for (const [index, part] of text.split("\n").entries()) {
        if (index > 0) endLine();
        line = limitText(line + part);
      }
    },
    last: () => {
      endLine();
      return parseLine(kept);
    },
  };
}

function parseLine(line: string): string {
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  // Go's quoting; what was several lines is one here.
  return (
    message
      ?.replace(/(?:\\[nrt])+/g, " ")
      .replace(/\\(.)/g, "$1")
      .trim() ?? line.trim()
  );
}
