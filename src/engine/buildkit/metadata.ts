import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeLayout } from "../../copy/copy.ts";
import {
  type Digest,
  digestBytes,
  digestHex,
  type ImageConfig,
  ociManifestType,
  parseConfig,
} from "../../oci/oci.ts";
import type { BuildPlan, StagePlan } from "../../plan/plan.ts";
import { hideUser, restoreUser } from "./user-label.ts";
import type { ImagePlace, ImageSource } from "../model.ts";

/** What a trigger may say that changes a config; the others need a file system. */
const needsFiles = /^\s*(?:RUN|COPY|ADD)\b/i;

/** An image of no layers with the config of another one: metadata instructions come to the same on it. */
export async function makeTwin(place: ImagePlace, parent: string): Promise<ImageSource> {
  const directory = await mkdtemp(join(parent, "twin-"));
  const blobs = await makeLayout(directory);
  const write = async (value: unknown): Promise<{ digest: Digest; size: number }> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestBytes(bytes);
    await writeFile(join(blobs, digestHex(digest)), bytes);
    return { digest, size: bytes.length };
  };
  const original = parseConfig(await place.readConfig());
  const triggers = original.config?.OnBuild?.filter((one) => !needsFiles.test(one)) ?? [];
  const config = await write({
    ...original,
    config: hideUser({ ...original.config, OnBuild: triggers }),
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  });
  const manifest = await write({
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [],
  });
  const manifests = [{ mediaType: ociManifestType, ...manifest }];
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return { kind: "layout", directory, digest: manifest.digest };
}

/**
 * The config without what the builder adds by itself: a working directory `/` that neither a base nor the file names.
 * BuildKit, `frontend/dockerfile/dockerfile2llb/image.go`
 */
export async function withoutOwn(
  bytes: Uint8Array,
  { plan, stage, bases }: TwinOf,
): Promise<Uint8Array> {
  const config = parseConfig(bytes);
  const { WorkingDir: directory, ...rest } = config.config ?? {};
  if (directory !== "/" || namesDirectory(plan, stage)) return bytes;
  const below = await Promise.all(bases.map(async (one) => parseConfig(await one.readConfig())));
  if (below.some((one) => one.config?.WorkingDir === "/")) return bytes;
  return encode({ ...config, config: rest });
}

export interface TwinOf {
  readonly plan: BuildPlan;
  readonly stage: StagePlan;
  /** The images at the bottom of stages. */
  readonly bases: readonly Pick<ImagePlace, "readConfig">[];
}

function namesDirectory({ dependencies }: BuildPlan, { index }: StagePlan): boolean {
  return dependencies.stages.some(
    ({ stage }) =>
      stage.index <= index && stage.instructions.some(({ keyword }) => keyword === "WORKDIR"),
  );
}

/** What of a config stands for the stage, and is the same whenever it is evaluated. */
export function keepMetadata(bytes: Uint8Array): Uint8Array {
  const { created: _, ...config } = restoreUser(parseConfig(bytes));
  return encode({ ...config, rootfs: { type: "layers", diff_ids: [] }, history: [] });
}

function encode(config: ImageConfig): Uint8Array {
  return Buffer.from(JSON.stringify(config));
}
