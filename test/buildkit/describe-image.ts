import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { ImageConfig, Manifest } from "../../src/oci/model.ts";
import type { MachineBuild } from "../support/machines.ts";

/** An image in words: two that differ show in what. */
export interface ImageText {
  readonly digest: string;
  /** Of the layers. */
  readonly names: readonly string[];
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** What tar prints of each layer, a line each: `-rwsr-xr-x 0/0 su @1600000000`. */
  readonly layers: Readonly<Record<string, readonly string[]>>;
}

export async function describeImage({ metadata, store }: MachineBuild): Promise<ImageText> {
  const layers = metadata.layers.map(
    async ({ digest }, index): Promise<readonly [string, readonly string[]]> => [
      `${index} ${digest}`,
      await listLayer(pathOf(store, digest)),
    ],
  );
  return {
    digest: metadata.digest,
    names: metadata.layers.map(({ name }) => name),
    manifest: JSON.parse(await readFile(pathOf(store, metadata.digest), "utf8")),
    config: JSON.parse(await readFile(pathOf(store, metadata.configDigest), "utf8")),
    layers: Object.fromEntries(await Promise.all(layers)),
  };
}

/** The one image of an OCI layout, which may have been made by any tool. */
export async function describeLayout(directory: string): Promise<ImageText> {
  const index = JSON.parse(await readFile(join(directory, "index.json"), "utf8"));
  const { digest } = index.manifests[0];
  const manifest: Manifest = JSON.parse(await readFile(pathOf(directory, digest), "utf8"));
  const configPath = pathOf(directory, manifest.config.digest);
  const config: ImageConfig = JSON.parse(await readFile(configPath, "utf8"));
  const layers = manifest.layers.map(
    async (layer, at): Promise<readonly [string, readonly string[]]> => [
      `${at} ${layer.digest}`,
      await listLayer(pathOf(directory, layer.digest)),
    ],
  );
  const filled = (config.history ?? []).filter((one) => one.empty_layer !== true);
  return {
    digest,
    names: filled.map((one) => one.created_by ?? ""),
    manifest,
    config,
    layers: Object.fromEntries(await Promise.all(layers)),
  };
}

function pathOf(store: string, digest: string): string {
  return join(store, "blobs", digest.replace(":", "/"));
}

/** A layer that is kept by reference is not here. */
async function listLayer(path: string): Promise<readonly string[]> {
  const flags = ["--numeric-owner", "--full-time", "--xattrs", "--xattrs-include=*"];
  const words = [...flags, "--quoting-style=escape", "-tvf", path];
  const env = { LC_ALL: "C", TZ: "UTC" };
  const { stdout } = await execa("tar", words, { env, reject: false });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(describeEntry);
}

/** The size is left out: of devices it is none. */
function describeEntry(line: string): string {
  const [, mode, owner, time, name] =
    /^(\S+) +(\S+) +\S+ (\S+ \S+) (.*)$/.exec(line) ?? ([] as readonly string[]);
  return `${mode} ${owner} ${name} @${Date.parse(`${time?.replace(" ", "T")}Z`) / 1000}`;
}
