import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyImage } from "../../copy/copy.ts";
import { XbuildError } from "../../errors.ts";
import type { Image } from "../../oci/oci.ts";
import type { LoadSource, SessionWorkspace } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";
import { quoteItem } from "../quote-item.ts";
import { releaseNames } from "./names.ts";
import { labelRun } from "./run-names.ts";

/**
 * `-o PATH`, `-o type=local|tar,dest=PATH`, `-o -`: the image's flattened files. The engine writes
 * them, so that this means what it means there: the image is loaded under a passing name, and a
 * build that only names it has it as its result.
 */
export async function writeFiles(
  { reference, image, scratch }: LoadSource,
  destination: string,
  work: SessionWorkspace & { readonly commands: ContainersCommands },
): Promise<void> {
  const { commands, run, signal } = work;
  assertNoTriggers(image, destination);
  const label = `xbuild-files-${labelRun(run)}`;
  const name = `localhost/${label}:latest`;
  const directory = join(scratch, "files");
  await mkdir(directory, { recursive: true });
  const file = join(directory, "Containerfile");
  await writeFile(file, `FROM ${name}\n`);
  const { digest: id } = image.manifest.config;
  const wasHere = (await commands.findImage(id.replace(/^sha256:/, ""))) !== undefined;
  const storage = `containers-storage:${commands.storageSpecifier()}`;
  await copyImage(reference, `${storage}${name}`, { signal });
  try {
    const flags = [
      "--quiet",
      "--layers=false",
      "--pull=false",
      `--iidfile=${join(directory, "iid")}`,
    ];
    const args = [...flags, `--output=${destination}`, `--file=${quoteItem(file)}`, directory];
    const status = await commands.passThrough(args);
    if (status !== 0) throw notWritten(destination, status);
  } finally {
    // buildah 1.28 leaves the container of a stage that has no instruction.
    await commands.removeContainers(`${label}-working-container`);
    // Without its passing name it may have none, and be one of a manifest list.
    if (wasHere) await releaseNames([name], labelRun(run), work);
    else await commands.removeImages([name]);
  }
}

/** A trigger would run in the build that exports. */
export function assertNoTriggers(image: Image, destination: string): void {
  if ((image.config.config?.OnBuild ?? []).length === 0) return;
  throw new XbuildError(
    "output-destination",
    `-o ${destination}: the image has ONBUILD triggers, which would run when its files are written`,
    {
      hint: "write the image with -o oci:DIR, or remove the ONBUILD instruction",
    },
  );
}

function notWritten(destination: string, status: number): XbuildError {
  return new XbuildError(
    "output-destination",
    `-o ${destination}: the engine could not write the files`,
    {
      hint: "see the engine's message above; the image itself is in the store",
      exitStatus: status,
    },
  );
}
