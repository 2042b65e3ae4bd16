import { UselessLayersError } from "../delivery/delivery.ts";
import { addHint, XbuildError } from "../errors.ts";
import { leaveOutput, type ReceivedOutput } from "../layers/layers.ts";
import type { PreparedLayers } from "./prepare-layers.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** An output, and whose it is. */
export interface KeptOutput {
  readonly build: Build;
  readonly prepared: PreparedLayers;
  /** How it came here, where the steps ran elsewhere. */
  readonly received?: ReceivedOutput | undefined;
}

/**
 * Does what is done with an output, and then leaves it where --keep-output says. Where it fails, the error says where that
 * is. One that cannot be left there is a warning: the build is what it would be without.
 */
export async function keepingOutput<T>(
  kept: KeptOutput,
  action: () => Promise<T>,
  work: BuildRunWorkspace,
): Promise<T> {
  const result = await action().catch(async (error: unknown) => {
    throw await keepFailed(error, kept, work);
  });
  await keepOutput(kept, work);
  return result;
}

/** @returns the error, with where the output of what failed is kept */
export async function keepFailed(
  error: unknown,
  kept: KeptOutput,
  work: BuildRunWorkspace,
): Promise<unknown> {
  // Such a build runs once more.
  if (!(error instanceof XbuildError) || error instanceof UselessLayersError) return error;
  if (work.signal.aborted) return error;
  const place = await keepOutput(kept, work);
  if (place === undefined) return error;
  return addHint(error, `its output is kept in ${place}: xbuild collect ${place} checks it again`);
}

async function keepOutput(
  { build, prepared, received }: KeptOutput,
  { reporter, signal }: BuildRunWorkspace,
): Promise<string | undefined> {
  const { keepOutput: directory } = build.request.layers;
  if (directory === undefined) return undefined;
  const { output } = prepared.directory;
  received?.settleTrees();
  const left = await leaveOutput({ output, directory, name: build.plan.target.name }, signal);
  if ("path" in left) return left.path;
  reporter.warn({
    code: "output-not-kept",
    severity: "warning",
    message: `the output could not be left in ${directory}: ${left.reason}`,
    hint: "name another directory with --keep-output, with more room",
  });
  return undefined;
}
