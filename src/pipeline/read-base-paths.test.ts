import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createDirectory, digestOf } from "../../test/support/layers/fixtures.ts";
import { rawEntry, rawTar } from "../../test/support/layers/raw-tar.ts";
import { withStore } from "../../test/support/store.ts";
import type { Digest, LayerFiles } from "../oci/oci.ts";
import type { BaseImage } from "./bases.ts";
import { readBasePaths } from "./read-base-paths.ts";

/** An image of these archives, each plain: its digest is its diff ID. */
function makeImage(blobs: readonly Buffer[], files: LayerFiles = new Map()): BaseImage {
  const mediaType = "application/vnd.oci.image.layer.v1.tar";
  const layers = blobs.map((blob) => ({ mediaType, digest: digestOf(blob), size: blob.length }));
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) } as const;
  const config = { mediaType: "", digest: digestOf(Buffer.alloc(0)), size: 0 };
  const manifest = { schemaVersion: 2 as const, mediaType: "", config, layers };
  const image = { manifest, config: { architecture: "amd64", os: "linux", rootfs } };
  return { image, files, locations: [], origin: undefined };
}

function makeArchive(name: string): Buffer {
  return rawTar(rawEntry({ name, data: name }));
}

const stored = makeArchive("stored");
const came = makeArchive("came");
const elsewhere = makeArchive("elsewhere");
const broken = Buffer.alloc(stored.length, "x");

test("layers of the store and of this build are read, others are not asked for", () =>
  withStore(async (store) => {
    const blobs = join(store.directory, "blobs", "sha256");
    await mkdir(blobs, { recursive: true });
    const pathOf = (digest: Digest): string => join(blobs, digest.slice("sha256:".length));
    const file = join(createDirectory(), "blob");
    await writeFile(file, came);
    await writeFile(pathOf(digestOf(stored)), stored);
    await writeFile(pathOf(digestOf(broken)), broken);
    const image = makeImage([stored, came, elsewhere, broken], new Map([[digestOf(came), file]]));
    const read = async (): Promise<readonly string[]> => {
      const { signal } = new AbortController();
      const known = await readBasePaths([image, image], { store, signal });
      return [...known.values()].map(({ entries }) => [...entries.keys()].join(" "));
    };
    expect(await read()).toEqual(["stored", "came"]);
    // The store's own are remembered: other bytes of that size are not looked at.
    await writeFile(pathOf(digestOf(stored)), broken);
    await writeFile(file, broken);
    expect(await read()).toEqual(["stored"]);
    await rm(join(store.directory, "cache"), { recursive: true });
    expect(await read()).toEqual([]);
  }));

test("an interruption is no layer that cannot be read", () =>
  withStore(async (store) => {
    const file = join(createDirectory(), "blob");
    await writeFile(file, came);
    const image = makeImage([came], new Map([[digestOf(came), file]]));
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(readBasePaths([image], { store, signal })).rejects.toThrow("stopped");
  }));
