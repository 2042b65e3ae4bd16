import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Digest, digestBytes } from "../../oci/oci.ts";
import { findHeldLayers } from "./held-layers.ts";

const name = (word: string): Digest => digestBytes(Buffer.from(word));

function pair(word: string): { readonly digest: Digest; readonly diffId: Digest } {
  return { digest: name(`${word}.gz`), diffId: name(word) };
}

function store(word: string, others: object = {}): object {
  const { digest, diffId } = pair(word);
  return { id: word, "diff-digest": diffId, "compressed-diff-digest": digest, ...others };
}

async function findIn(
  layers: unknown,
  asked: Parameters<typeof findHeldLayers>[0],
): Promise<readonly Digest[]> {
  const root = await mkdtemp(join(tmpdir(), "xbuild-held-"));
  try {
    await mkdir(join(root, "overlay-layers"));
    await writeFile(join(root, "overlay-layers/layers.json"), JSON.stringify(layers));
    const locateStorage = () => Promise.resolve({ root, driver: "overlay" });
    return [...(await findHeldLayers(asked, { locateStorage }))];
  } finally {
    await rm(root, { recursive: true });
  }
}

test("a layer is there as the blob that is meant, and with the content that is claimed of it", async () => {
  const [there, other] = [pair("there"), pair("other")];
  const stored = [store("there"), store("unfinished", { flags: { incomplete: true } })];
  const asked = [there, other, pair("unfinished")];
  expect(await findIn(stored, asked)).toEqual([there.digest]);
  expect(await findIn(stored, [{ ...there, diffId: other.diffId }])).toEqual([]);
});

test("a layer without compression is its own content", async () => {
  const { diffId } = pair("there");
  expect(await findIn([store("there")], [{ digest: diffId, diffId }])).toEqual([diffId]);
});

test("a storage that says nothing, or nothing that is understood, has none", async () => {
  expect(await findIn([{ id: "one" }], [pair("there")])).toEqual([]);
  expect(await findIn({ layers: [] }, [pair("there")])).toEqual([]);
});
