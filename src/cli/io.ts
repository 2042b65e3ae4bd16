/** What a command may touch of the process: the only way to print. */
export interface CliIo {
  readonly stdout: (text: string | Uint8Array) => void;
  readonly stderr: (text: string | Uint8Array) => void;
  /** The words that start xbuild again: the program and its script. */
  readonly self: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether stdout takes colours: a terminal, and NO_COLOR is not set (https://no-color.org). */
  readonly color: boolean;
  /** Whether stdout is a terminal, on which a line can be written over. */
  readonly terminal: boolean;
}
