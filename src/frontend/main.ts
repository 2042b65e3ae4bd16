import { runFrontend } from "./run.ts";
import { runCollectStep } from "./step/collect.ts";

const { stdin: input, stdout: output, env, argv } = process;
if (argv[2] === "collect") await runCollectStep();
// oxlint-disable-next-line unicorn/no-process-exit -- the connection would keep it alive
else process.exit(await runFrontend({ input, output, env }));
