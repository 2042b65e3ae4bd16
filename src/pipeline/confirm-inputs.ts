import { existsSync } from "node:fs";
import { compareContexts, type ContextHash } from "../context/context.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { XbuildError } from "../errors.ts";
import { forgetNames } from "./sent-names.ts";
import { listSome } from "../text.ts";
import { hashDirectories } from "./hash-directories.ts";
import { findPlaced } from "./placed-images.ts";
import { findUsed, listImages, listUnpinned } from "./resolve-images.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/**
 * The inputs once more, after the last step that reads them. What was saved, moved or removed meanwhile may be in
 * the image as it was before or as it is now, so nobody knows what the image was made of: it is told, and the
 * build comes back without a key. What stat(2) says to be as it was is not read again.
 */
export async function confirmInputs(build: Build, work: BuildWorkspace): Promise<Build> {
  const { inputs } = build;
  if (inputs.key === undefined && inputs.exactKey === undefined) return build;
  const moved = [
    ...(await listMovedFiles(build, work)),
    ...(await listMovedImages(build, work)),
    ...inputs.secrets
      .filter((file) => !existsSync(file))
      .map((file) => `the secret ${file} (gone)`),
  ];
  if (moved.length === 0) return build;
  work.reporter.warn(warnMoved(moved));
  forgetNames(build, work);
  return {
    ...build,
    inputs: { ...inputs, key: undefined, exactKey: undefined, portableKey: undefined },
  };
}

async function listMovedFiles(
  { request, inputs: { reads, directories: before } }: Build,
  work: BuildWorkspace,
): Promise<readonly string[]> {
  const now = await hashDirectories(reads ?? [], request, { ...work, before });
  return [...before].flatMap(([role, then]) => compareRole(role, then, now.get(role)));
}

function compareRole(
  role: string,
  then: ContextHash,
  now: ContextHash | undefined,
): readonly string[] {
  if (now === undefined) return [`the ${role}`];
  if (now.digest === then.digest) return [];
  const changes = compareContexts(then.files, now.files);
  return [...changes].map(({ path, what }) => `${role}: ${path} (${what})`);
}

/** Other images have names of the run's own while it lasts; these the engine looks for by itself. */
async function listMovedImages(build: Build, work: BuildWorkspace): Promise<readonly string[]> {
  const { plan, request, inputs } = build;
  const { images } = inputs;
  // An engine elsewhere is told by digest which images are meant.
  const uses = work.engine.isElsewhere ? [] : [...listUnpinned(plan, request)];
  const now = await Promise.all(
    uses.map(([, reference]) => findUsed({ reference, plan, request }, work)),
  );
  const moved = uses.filter(([key], index) => now[index] !== images.get(key));
  return [...moved.map(([key]) => key), ...(await listMovedPlaces(build, work))].map(
    (key) => `the image ${key}`,
  );
}

/** Images that were read where they are. */
async function listMovedPlaces(
  { plan, request, inputs: { images, placed } }: Build,
  work: BuildWorkspace,
): Promise<readonly string[]> {
  const places = [...listImages(plan, request)].filter(([key]) => placed.has(key));
  const now = await Promise.all(
    places.map(([, reference]) => findPlaced({ reference, plan, request }, work).catch(ifGone)),
  );
  return places.flatMap(([key], index) => (now[index]?.id === images.get(key) ? [] : [key]));
}

function ifGone(error: unknown): undefined {
  if (!(error instanceof XbuildError)) throw error;
}

function warnMoved(moved: readonly string[]): Diagnostic {
  return {
    code: "inputs-changed",
    severity: "warning",
    message: `inputs changed during the build: ${listSome(moved)}`,
    hint: "build again when they no longer change: the image may contain old or new content, and does not count as up to date",
  };
}
