import { XbuildError } from "../errors.ts";
import { describeError } from "./failures.ts";
import { runFrontend } from "./run.ts";
import { runCollectStep } from "./step/collect.ts";

const { stdin: input, stdout: output, env, argv } = process;
if (argv[2] === "collect") await runCollectStep().catch(fail);
// oxlint-disable-next-line unicorn/no-process-exit -- the connection would keep it alive
else process.exit(await runFrontend({ input, output, env }));

/** Of a step the last words are what the client shows. */
function fail(error: unknown): void {
  process.stderr.write(`${error instanceof XbuildError ? describeError(error) : String(error)}\n`);
  process.exitCode = 1;
}
