import type { Visible } from "../visible.ts";

/**
 * What a command may touch of the process: the only way to print. What xbuild says is a `Visible`, in which
 * nothing acts on a terminal; bytes are somebody else's words, or a document's, and go out as they are.
 */
export interface CliIo {
  readonly stdout: (text: Visible | Uint8Array) => void;
  readonly stderr: (text: Visible | Uint8Array) => void;
  /** The words that start xbuild again: the program and its script. */
  readonly self: readonly string[];
  readonly cwd: string;
  /** The directory of the package, which holds `docs/`, as a URL that ends in a slash. */
  readonly packageUrl: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether stdout takes colours: a terminal, and NO_COLOR is not set (https://no-color.org). */
  readonly color: boolean;
  /** Whether stdout is a terminal, on which a line can be written over. */
  readonly terminal: boolean;
  /** How wide that terminal is now; undefined where there is none. */
  readonly columns?: () => number | undefined;
  /** Does this when the command has ended, however it does; what fails then is nobody's to know. */
  readonly atEnd: (action: () => Promise<void>) => void;
  /** Aborted when the user stops the command, with Ctrl-C say. */
  readonly signal: AbortSignal;
}

/** A command, called with the words behind its name. @returns the exit status */
export type Command = (words: readonly string[], io: CliIo) => Promise<number>;
