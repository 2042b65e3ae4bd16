import type { CliIo } from "../../src/cli/io.ts";

/** What a command printed: text as a terminal gets it, bytes as UTF-8. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** A command's way to print, which keeps what it is given. */
export function captureIo(given: Partial<CliIo> = {}): {
  readonly io: CliIo;
  readonly printed: Printed;
} {
  const printed: Printed = { stdout: "", stderr: "" };
  const keep =
    (stream: keyof Printed): CliIo["stdout"] =>
    (text) => {
      printed[stream] +=
        text instanceof Uint8Array ? Buffer.from(text).toString("utf8") : text.visible;
    };
  const io: CliIo = {
    stdout: keep("stdout"),
    stderr: keep("stderr"),
    self: [],
    cwd: "/",
    packageUrl: "file:///xbuild/",
    env: {},
    color: false,
    terminal: false,
    atEnd: () => undefined,
    signal: new AbortController().signal,
    ...given,
  };
  return { io, printed };
}
