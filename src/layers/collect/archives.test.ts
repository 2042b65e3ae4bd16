import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  asPrevious,
  compress,
  createDirectory,
  digestOf,
  makeTar,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawTar } from "../../../test/support/layers/raw-tar.ts";
import type { CollectedLayer } from "../model.ts";
import { type ArchiveLayer, type ArchiveOptions, collectArchives } from "./archives.ts";

interface TestArchive {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Collects archives that lie in a directory of the test. @returns the layers, and that directory */
async function collect(
  archives: readonly TestArchive[],
  options: Partial<ArchiveOptions> = {},
): Promise<{ readonly layers: readonly (CollectedLayer | undefined)[]; readonly places: string }> {
  const places = createDirectory();
  const staging = join(createDirectory(), "staging");
  mkdirSync(staging);
  const layers = await collectArchives(
    archives.map(({ name, bytes }, index): ArchiveLayer => {
      const path = join(places, String(index));
      const bring = (): Promise<string> => {
        writeFileSync(path, bytes);
        return Promise.resolve(path);
      };
      return { history: { created_by: name, author: "me" }, shown: `layer of ${name}`, bring };
    }),
    {
      previous: [],
      reuse: undefined,
      compression: "gzip",
      epoch: undefined,
      maxLayerSize: 1024 ** 3,
      allowDevices: false,
      staging,
      ...options,
    },
  );
  return { layers, places };
}

function tar(files: Readonly<Record<string, string>>, mtime = 1_000_000_000): Buffer {
  return makeTar(writeFiles(createDirectory(), files), `--mtime=@${mtime}`);
}

/** What a previous build made of these archives. */
async function collectBefore(
  archives: readonly TestArchive[],
  options: Partial<ArchiveOptions> = {},
): Promise<{
  readonly layers: readonly CollectedLayer[];
  readonly previous: ReturnType<typeof asPrevious>;
}> {
  const layers = (await collect(archives, options)).layers.flatMap((one) => one ?? []);
  const entries = layers.map((layer) => ({ kind: "layer", layer }) as const);
  const output = { entries, config: undefined, annotations: {}, warnings: [], state: undefined };
  return { layers, previous: asPrevious(output) };
}

function digests(layers: readonly (CollectedLayer | undefined)[]): readonly (string | undefined)[] {
  return layers.map((layer) => layer?.descriptor.digest);
}

describe("archives", () => {
  it("are packed as loose layers are, with the history that is given, and leave no file", async () => {
    const bytes = tar({ "usr/a": "a", "etc/b": "b" });
    const { layers, places } = await collect([
      { name: "one", bytes },
      { name: "two", bytes: compress("gzip", bytes) },
    ]);
    const [one, two] = layers;
    expect(one).toMatchObject({
      name: "one",
      status: "new",
      history: { created_by: "one", author: "me" },
    });
    expect(two).toMatchObject({ name: "two", diffId: one?.diffId });
    const packed = gunzipSync(readFileSync(one?.blob?.path ?? ""));
    expect(digestOf(packed)).toBe(one?.diffId);
    const names = execFileSync("tar", ["-t"], { input: packed, encoding: "utf8" });
    expect(names.trim().split("\n")).toEqual(["etc/", "etc/b", "usr/", "usr/a"]);
    expect(readdirSync(places)).toEqual([]);
  });

  it.each([
    ["of blocks of zeros", Buffer.alloc(1024)],
    ["of the root alone", makeEmpty],
  ])("%s are no layers", async (_name, bytes) => {
    const full = tar({ a: "a" });
    const empty = typeof bytes === "function" ? bytes() : bytes;
    const { layers } = await collect([
      { name: "empty", bytes: empty },
      { name: "full", bytes: full },
    ]);
    expect(layers.map((layer) => layer?.name)).toEqual([undefined, "full"]);
  });

  it("of other times are the previous image's, but for an epoch or --reuse=exact", async () => {
    const before = [
      { name: "a", bytes: tar({ a: "a" }) },
      { name: "b", bytes: tar({ b: "b" }) },
    ];
    const after = [
      { name: "a", bytes: tar({ a: "a" }, 1_100_000_000) },
      { name: "b", bytes: tar({ b: "changed" }, 1_100_000_000) },
    ];
    const { layers: old, previous: image } = await collectBefore(before);
    const previous = [image];
    const [a, b] = (await collect(after, { previous })).layers;
    expect(a).toMatchObject({
      status: "equal",
      history: { created: "2026-01-01T00:00:00Z", author: "me" },
    });
    expect(a?.blob).toBeUndefined();
    expect(digests([a])).toEqual(digests(old.slice(0, 1)));
    expect(b?.status).toBe("new");
    for (const options of [{ epoch: 1_200_000_000 }, { reuse: "exact" }] as const) {
      const { layers } = await collect(after, { previous, ...options });
      expect(layers.map((layer) => layer?.status)).toEqual(["new", "new"]);
    }
    const clamped = { epoch: 900_000_000 };
    const { layers: fixed, previous: fixedImage } = await collectBefore(before, clamped);
    const again = await collect(after, { ...clamped, previous: [fixedImage] });
    expect(again.layers[0]).toMatchObject({ status: "equal", diffId: fixed[0]?.diffId });
  });

  it("several of one name and content are the previous image's several, in their order", async () => {
    const at = (seconds: number): TestArchive => ({
      name: "RUN touch /t",
      bytes: tar({ t: "" }, seconds),
    });
    const other = { name: "RUN touch /./t", bytes: tar({ t: "" }, 1_000_000_003) };
    const before = [at(1_000_000_000), at(1_000_000_001), other, at(1_000_000_002)];
    const { layers: old, previous } = await collectBefore(before);
    expect(new Set(digests(old)).size).toBe(4);
    const again = [at(5), at(6), { ...other, bytes: tar({ t: "" }, 7) }, at(8)];
    const { layers } = await collect(again, { previous: [previous] });
    expect(digests(layers)).toEqual(digests(old));
    // One more than there were is the last of them.
    const { layers: more } = await collect([...again, at(9)], { previous: [previous] });
    expect(digests(more)).toEqual([...digests(old), digests(old)[3]]);
  });

  it("are refused for what loose ones are refused for, under the name that is given", async () => {
    const device = rawTar(rawEntry({ name: "dev", type: "3" }));
    await expect(collect([{ name: "one", bytes: device }])).rejects.toMatchObject({
      code: "layer-tar-device",
      message: "layer of one: dev is a device",
    });
    const { layers } = await collect([{ name: "one", bytes: device }], { allowDevices: true });
    expect(layers[0]?.status).toBe("new");
    const large = { name: "large", bytes: tar({ a: "a".repeat(100_000) }) };
    await expect(collect([large], { maxLayerSize: 50_000 })).rejects.toMatchObject({
      code: "layer-too-large",
    });
  });

  it("are no longer worked on where one cannot be brought", async () => {
    const seen: AbortSignal[] = [];
    const archives = Array.from({ length: 50 }, (_, index) => ({
      history: { created_by: `layer ${index}` },
      shown: "",
      bring: (signal: AbortSignal) => {
        seen.push(signal);
        return Promise.reject(new Error(`cannot bring ${index}`));
      },
    }));
    const options = { reuse: undefined, compression: "gzip", epoch: undefined } as const;
    const rest = { maxLayerSize: 1000, allowDevices: true, staging: createDirectory() };
    const result = collectArchives(archives, { ...options, ...rest, previous: [] });
    await expect(result).rejects.toThrow("cannot bring 0");
    expect(seen.length).toBeLessThan(50);
    expect(seen.every((signal) => signal.aborted)).toBe(true);
  });
});

function makeEmpty(): Buffer {
  return makeTar(createDirectory());
}
