import { existsSync } from "node:fs";
import { compareContexts } from "../context/context.ts";
import type { ContextHash } from "../context/context.ts";
import type { Diagnostic } from "../diagnostics.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import { listSome } from "../text.ts";
import { hashDirectories } from "./directories.ts";
import { listContextImages } from "./resolve-images.ts";
import type { BuildInputs } from "./inputs.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";

/**
 * The inputs once more, after the last step that reads them. What was saved, moved or removed meanwhile may be in
 * the image as it was before or as it is now, so nobody knows what the image was made of: it is told, and the
 * inputs come back without a key. What stat(2) says to be as it was is not read again.
 */
export async function withoutMovedKey(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  inputs: BuildInputs,
): Promise<BuildInputs> {
  if (inputs.key === undefined) return inputs;
  const moved = [
    ...(await listMovedFiles(store, request, plan, ports, inputs)),
    ...(await listMovedImages(request, plan, ports, inputs)),
    ...inputs.secrets
      .filter((file) => !existsSync(file))
      .map((file) => `the secret ${file} (gone)`),
  ];
  if (moved.length === 0) return inputs;
  ports.reporter.warn(warnMoved(moved));
  return { ...inputs, key: undefined };
}

async function listMovedFiles(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  { signal }: BuildPorts,
  { directories: before }: BuildInputs,
): Promise<readonly string[]> {
  const now = await hashDirectories(store, request, plan, { signal, before });
  return [...before].flatMap(([role, then]) => compareRole(role, then, now?.get(role)));
}

function compareRole(
  role: string,
  then: ContextHash,
  now: ContextHash | undefined,
): readonly string[] {
  if (now === undefined) return [`the ${role}`];
  if (now.digest === then.digest) return [];
  const changes = compareContexts(then.files, now.files);
  return changes.map(({ path, what }) => `${role}: ${path} (${what})`);
}

/** Other images have names of the run's own while it lasts; these the engine looks for by itself. */
async function listMovedImages(
  request: BuildRequest,
  plan: BuildPlan,
  { engine }: BuildPorts,
  { images }: BuildInputs,
): Promise<readonly string[]> {
  const names = listContextImages(request, plan);
  const now = await Promise.all(names.map((name) => engine.resolveImage(name)));
  return names
    .filter((name, index) => now[index] !== images.get(name))
    .map((name) => `the image ${name}`);
}

function warnMoved(moved: readonly string[]): Diagnostic {
  return {
    code: "inputs-changed",
    severity: "warning",
    message: `inputs changed during the build: ${listSome(moved)}`,
    hint: "build again when they no longer change: the image may contain old or new content, and does not count as up to date",
  };
}
