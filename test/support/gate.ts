import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Project } from "./project.ts";
import type { Started } from "./xbuild.ts";

/** A layering step that says that it has begun, and goes on when it is let through, or after some minutes. */
export const gateStep =
  "RUN echo be''gun; i=0; while [ ! -e /layers/output/go ] && [ $i -lt 6000 ]; do i=$((i+1)); sleep 0.05; done; rm /layers/output/go";

/** Starts a build with such a step and waits until it is there. */
export async function startGated(
  project: Project,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const started = project.start(args, { env });
  await started.says("begun");
  return started;
}

/** Lets the step through. */
export async function openGate(project: Project): Promise<void> {
  await writeFile(join(await findOutput(project.store), "go"), "");
}

/** The output directory of the one build that runs: its stages have runs of their own. */
export async function findOutput(store: string): Promise<string> {
  const runs = (await readdir(join(store, "tmp"))).filter((name) => name.startsWith("run-"));
  for (const run of runs) {
    const layers = join(store, "tmp", run, "layers");
    const [target] = await readdir(layers);
    if (target !== undefined) return join(layers, target, "output");
  }
  throw new Error("no layering step runs");
}
