import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What a program writes to its output; `cwd` is the directory in which it runs. */
export async function runProgram(
  [program = "", ...args]: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  const { stdout } = await execute(program, args, { ...options, maxBuffer: 2 ** 29 });
  return stdout;
}
