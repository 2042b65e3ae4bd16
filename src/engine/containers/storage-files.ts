import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import { type Digest, isDigest, isJsonObject, type Json, tryParseJson } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";

/** Where an engine keeps its images. */
export interface StoragePlace {
  /** The storage's directory, and its driver. */
  readonly root: string;
  readonly driver: string;
  /** Whether it is another machine's. */
  readonly isRemote?: boolean;
}

/** An image as the storage has it. */
export interface StorageImage {
  readonly id: Digest;
  readonly names: readonly string[];
  /** Names that it has had; the engines give passing ones themselves (`<hex>-tmp`). */
  readonly earlierNames: readonly string[];
  /** Of its manifests. */
  readonly digests: readonly string[];
  /** Its uppermost layer; undefined of a manifest list. */
  readonly layer: string | undefined;
  /** Where its documents are. */
  readonly directory: string;
}

/** A layer as the storage has it: of several images that have it in the same place it is one. */
export interface StorageLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** What its archive is, and the blob that it came as; undefined of what is no layer of an image, or not whole yet. */
  readonly diffId: string | undefined;
  readonly blob: string | undefined;
  /** Bytes of its files, as a tar. */
  readonly size: number;
}

/** A working container. */
export interface StorageContainer {
  readonly image: Digest | undefined;
  readonly layer: string;
}

export interface StorageFiles {
  readonly images: readonly StorageImage[];
  readonly layers: ReadonlyMap<string, StorageLayer>;
  readonly containers: readonly StorageContainer[];
}

/**
 * What is in a storage of the containers/ family, by its own files: no command tells which layers are shared, and what
 * an image was called. They are replaced whole. github.com/containers/storage, `images.go`, `layers.go`,
 * `containers.go`. Errors: `engine-failed` where they are not what they were when this was written.
 */
export async function readStorage({ root, driver }: StoragePlace): Promise<StorageFiles> {
  const list = (kind: string, file: string): Promise<readonly JsonObject[]> =>
    readList(join(root, `${driver}-${kind}`, file));
  const images = await list("images", imagesFile);
  const layers = [
    ...(await readStorageLayers({ root, driver })),
    ...(await list("layers", "volatile-layers.json")).map(parseLayer),
  ];
  const containers = [
    ...(await list("containers", "containers.json")),
    ...(await list("containers", "volatile-containers.json")),
  ];
  return {
    images: images.map((one) => parseImage(one, nameImages({ root, driver }))),
    layers: new Map(layers.map((layer) => [layer.id, layer])),
    containers: containers.map((one) => ({
      image: parseId(one["image"]),
      layer: readText(one["layer"]) ?? "",
    })),
  };
}

/** The layers of its images alone. Errors: as `readStorage`. */
export async function readStorageLayers({
  root,
  driver,
}: StoragePlace): Promise<readonly StorageLayer[]> {
  return (await readList(join(root, `${driver}-layers`, "layers.json"))).map(parseLayer);
}

/** Where the list of its images is, and a directory for each, called by the hex digits of its ID. */
export function nameImages({ root, driver }: StoragePlace): string {
  return join(root, `${driver}-images`);
}

/** When the storage took an image in, in milliseconds since 1970: what the image says itself is no such time. */
export async function readStoredAt({ directory }: StorageImage): Promise<number> {
  return (await ifPresent(stat(directory)))?.mtimeMs ?? Date.now();
}

/** The manifest, or manifest list; undefined where it is gone or cannot be read. */
export function readStoredManifest(image: StorageImage): Promise<JsonObject | undefined> {
  return readObject(join(image.directory, "manifest"));
}

/** The config of an image, which is filed by its ID. */
export function readStoredConfig(image: StorageImage): Promise<JsonObject | undefined> {
  return readObject(nameConfig(image));
}

/** Where it is. github.com/containers/storage, `images.go`, `bigdata`: names of other characters are written in base64. */
export function nameConfig({ directory, id }: Pick<StorageImage, "directory" | "id">): string {
  return join(directory, `=${Buffer.from(id).toString("base64")}`);
}

type JsonObject = { readonly [key: string]: Json };

async function readObject(path: string): Promise<JsonObject | undefined> {
  const bytes = await ifPresent(readFile(path));
  const value = bytes === undefined ? undefined : tryParseJson(bytes);
  return isJsonObject(value) ? value : undefined;
}

async function readList(path: string): Promise<readonly JsonObject[]> {
  const bytes = await ifPresent(readFile(path));
  if (bytes === undefined) return [];
  const value = tryParseJson(bytes);
  if (Array.isArray(value)) return value.filter((one) => isJsonObject(one));
  if (value === null) return [];
  throw new XbuildError("engine-failed", `${path} is no list of what the engine's storage has`, {
    hint: "repair the storage with the engine: podman system reset removes all of it",
  });
}

/** The list of images among those of a driver. */
export const imagesFile = "images.json";

/** The images of such a list, whose documents are in this directory; none where it is no list. */
export function parseImages(bytes: Uint8Array, directory: string): readonly StorageImage[] {
  const value = tryParseJson(bytes);
  if (!Array.isArray(value)) return [];
  return value.filter((one) => isJsonObject(one)).map((one) => parseImage(one, directory));
}

function parseImage(value: JsonObject, parent: string): StorageImage {
  const id = parseId(value["id"]);
  const hex = readText(value["id"]) ?? "";
  const documents = value["big-data-digests"];
  const digests = isJsonObject(documents) ? Object.values(documents) : [];
  return {
    id: id ?? "sha256:",
    names: readTexts(value["names"]),
    earlierNames: readTexts(value["names-history"]),
    digests: [value["digest"] ?? null, ...digests].filter((one) => typeof one === "string"),
    layer: readText(value["layer"]),
    directory: join(parent, hex),
  };
}

function parseLayer(value: JsonObject): StorageLayer {
  const size = value["diff-size"];
  const flags = value["flags"];
  const isWhole = !isJsonObject(flags) || flags["incomplete"] !== true;
  return {
    id: readText(value["id"]) ?? "",
    parent: readText(value["parent"]),
    diffId: isWhole ? readText(value["diff-digest"]) : undefined,
    blob: isWhole ? readText(value["compressed-diff-digest"]) : undefined,
    size: typeof size === "number" && size > 0 ? size : 0,
  };
}

function parseId(value: Json | undefined): Digest | undefined {
  const id = `sha256:${readText(value) ?? ""}`;
  return isDigest(id) ? id : undefined;
}

/** The storage leaves out what is empty, or writes it so. */
function readText(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function readTexts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
