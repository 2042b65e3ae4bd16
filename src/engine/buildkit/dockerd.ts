import { rm } from "node:fs/promises";
import { join } from "node:path";
import { copyAs } from "../../copy/copy.ts";
import { XbuildError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/oci.ts";
import { queryProgram, tryQuery } from "../programs/run.ts";
import type { EngineWorkspace, LoadSource } from "../model.ts";

/** The ID of an image that the Docker daemon of this machine (or of DOCKER_HOST) has; undefined for none. */
export async function findLoaded(name: string): Promise<Digest | undefined> {
  const question = ["docker", "image", "inspect", "--format={{.Id}}", name];
  const answer = (await tryQuery(question, ["engine-failed"]))?.trim() ?? "";
  return isDigest(answer) ? answer : undefined;
}

/**
 * Loads an image into the Docker daemon (`docker load`). Errors: `engine-failed` with what docker says, `copy-failed`.
 */
export async function loadImage(
  source: LoadSource,
  names: readonly string[],
  { signal }: EngineWorkspace,
): Promise<void> {
  const [first, ...others] = names;
  if (first === undefined) return;
  const archive = join(source.scratch, "load.tar");
  await rm(archive, { force: true });
  try {
    await copyAs({ ...source, format: "docker" }, `docker-archive:${archive}:${first}`, signal);
    await askDocker(["load", "--quiet", "--input", archive]);
    for (const name of others) await askDocker(["tag", first, name]);
  } finally {
    await rm(archive, { force: true });
  }
}

async function askDocker(words: readonly string[]): Promise<void> {
  try {
    await queryProgram(["docker", ...words]);
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    throw new XbuildError(error.code, `the image cannot be loaded: ${error.message}`, {
      hint: "see that docker is installed and its daemon answers, or leave --load out",
      cause: error,
    });
  }
}
