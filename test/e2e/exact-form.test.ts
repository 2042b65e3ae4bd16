import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();

const containerfile = `FROM ${baseImage}
COPY out /out
OUTPUT /layers
RUN cp -R /out/. /layers/output/
`;

interface Blob {
  readonly hex: string;
  readonly path: string;
  readonly size: number;
}

/** A tar of one file, made by the system's tar and compressed by the program of that name. */
async function makeBlob(name: string, content: string, compressor?: string): Promise<Blob> {
  const directory = join(sandbox.directory, `blob-${name}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), content);
  const tar = join(directory, "layer.tar");
  await sandbox.exec("tar", "--owner=0", "--group=0", "-C", directory, "-cf", tar, name);
  if (compressor !== undefined) await sandbox.exec(compressor, "-kqf", tar);
  const suffix = { gzip: ".gz", zstd: ".zst" }[compressor ?? ""] ?? "";
  const path = `${tar}${suffix}`;
  const hex = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { hex, path, size: (await stat(path)).size };
}

async function putBlobs(project: Project, blobs: readonly Blob[]): Promise<void> {
  const directory = join(project.context, "out", "blobs", "sha256");
  await mkdir(directory, { recursive: true });
  for (const { hex, path } of blobs) await copyFile(path, join(directory, hex));
}

function describeEntries(blobs: Readonly<Record<string, Blob>>): readonly object[] {
  return Object.entries(blobs).map(([name, { hex }]) => ({
    created_by: name,
    digest: `sha256:${hex}`,
  }));
}

const mediaTypes: Readonly<Record<string, string>> = {
  plain: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
};

async function makeAll(): Promise<Readonly<Record<"plain" | "gzip" | "zstd", Blob>>> {
  return {
    plain: await makeBlob("plain", "plain\n"),
    gzip: await makeBlob("gzip", "gzip\n", "gzip"),
    zstd: await makeBlob("zstd", "zstd\n", "zstd"),
  };
}

test.each<[string, (entries: readonly object[]) => string]>([
  ["history.json", (entries) => JSON.stringify(entries)],
  ["history.json", (entries) => JSON.stringify({ history: entries, schemaVersion: 1 })],
  ["history.jsonl", (entries) => entries.map((one) => `${JSON.stringify(one)}\n`).join("")],
])("blobs are taken bit for bit in the order of %s", async (file, render) => {
  const blobs = await makeAll();
  const project = await sandbox.project({
    "Containerfile.x": containerfile,
    [`out/${file}`]: render(describeEntries(blobs)),
  });
  await putBlobs(project, Object.values(blobs));
  const built = await project.build(["--no-load"]);
  expect(built.metadata.layers).toMatchObject(
    Object.entries(blobs).map(([name, { hex, size }]) => ({
      name,
      digest: `sha256:${hex}`,
      size,
      mediaType: mediaTypes[name],
      status: "new",
    })),
  );
});

test("an image with zstd layers runs", async () => {
  const blobs = await makeAll();
  const project = await sandbox.project({
    "Containerfile.x": `${containerfile}RUN /layers/bin/layer list && cd / && tar -cf /layers/output/busybox.tar bin
RUN cd /layers/output && hex=$(sha256sum busybox.tar | cut -d' ' -f1) && mv busybox.tar blobs/sha256/$hex && \\
    echo "{\\"created_by\\":\\"busybox\\",\\"digest\\":\\"sha256:$hex\\"}" >> history.jsonl
CMD ["/bin/cat", "/plain", "/gzip", "/zstd"]
`,
    "out/history.jsonl": describeEntries(blobs)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(""),
  });
  await putBlobs(project, Object.values(blobs));
  await project.build();
  const said = await sandbox.exec("podman", "run", "--rm", "--network=none", project.name);
  expect(said).toBe("plain\ngzip\nzstd");
});

test("layers of the previous image are kept by digest, without their bytes", async () => {
  const { plain, gzip } = await makeAll();
  const project = await sandbox.project({
    "Containerfile.x": containerfile,
    "out/history.json": JSON.stringify(describeEntries({ plain, gzip })),
  });
  await putBlobs(project, [plain, gzip]);
  const first = await project.build();
  const zstd = await makeBlob("zstd", "zstd\n", "zstd");
  await project.remove("out/blobs");
  await putBlobs(project, [zstd]);
  await project.write({
    "out/history.json": JSON.stringify([
      { created_by: "renamed", digest: `sha256:${gzip.hex}`, comment: "moved down" },
      ...describeEntries({ zstd, plain }),
    ]),
  });
  const second = await project.build();
  expect(second.layers).toEqual(["renamed kept", "zstd new", "plain kept"]);
  expect(second.metadata.layers[0]).toMatchObject({ digest: first.metadata.layers[1]?.digest });
  expect(second.image.config.history?.[0]).toMatchObject({ comment: "moved down" });
});

test("a copied history.json gives the same image again", async () => {
  const { plain, gzip } = await makeAll();
  const project = await sandbox.project({
    "Containerfile.x": `${containerfile}ENV A=b\nUSER app\n`,
    "out/history.json": JSON.stringify(describeEntries({ plain, gzip })),
  });
  await putBlobs(project, [plain, gzip]);
  const first = await project.build();
  await project.write({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN cp /layers/history.json /layers/output/\nENV A=b\nUSER app\n`,
  });
  const second = await project.build();
  expect(second.layers).toEqual(["plain kept", "gzip kept"]);
  expect(second.metadata.configDigest).toBe(first.metadata.configDigest);
  const third = await project.build(["--no-cache"]);
  expect(third.metadata.digest).toBe(second.metadata.digest);
});

interface Seen {
  readonly history: unknown;
  readonly names: readonly (readonly string[])[];
  readonly blobs: readonly string[];
}

/** What a build with these flags of OUTPUT finds in its layers directory. */
async function readInput(project: Project, flags: string): Promise<Seen> {
  await project.write({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT ${flags} /layers
RUN mkdir -p /layers/output/layers/seen && cd /layers && cp history.json names output/layers/seen/
RUN find /layers/input/blobs -type f | sed 's|.*/||' | sort > /layers/output/layers/seen/blobs
RUN cd /layers; for path in history.json names new input/blobs/sha256/new; do \\
      if echo > $path; then exit 9; fi; done 2> /dev/null
`,
  });
  const { image } = await project.build(["--no-load", "--no-cache"]);
  const read = (name: string): Promise<string> => readFile(join(image.files, name), "utf8");
  const lines = async (name: string): Promise<readonly string[]> =>
    (await read(name)).split("\n").filter((line) => line !== "");
  return {
    history: JSON.parse(await read("history.json")),
    names: (await lines("names")).map((line) => line.split("\t")),
    blobs: await lines("blobs"),
  };
}

test.each([
  ["", true],
  ["--input=local", true],
  ["--input=none", false],
])("OUTPUT %s lays out the history, and blobs: %s", async (flags, blob) => {
  const { plain, gzip } = await makeAll();
  const project = await sandbox.project({
    "Containerfile.x": containerfile,
    "out/history.json": JSON.stringify(describeEntries({ plain, gzip })),
  });
  await putBlobs(project, [plain, gzip]);
  const first = await project.build(["--no-load"]);
  const seen = await readInput(project, flags);
  const [plainLayer, gzipLayer] = first.metadata.layers;
  expect(seen.history).toMatchObject({
    schemaVersion: 1,
    maxLayers: 127,
    image: `${project.name}@${first.metadata.digest}`,
    history: [
      { created_by: "plain", digest: plainLayer?.digest, diff_id: plainLayer?.diffId, blob },
      { created_by: "gzip", digest: gzipLayer?.digest, size: gzip.size, blob },
    ],
    others: [],
  });
  expect(seen.names).toEqual([
    [plainLayer?.digest, plainLayer?.diffId, blob ? "1" : "0", "plain"],
    [gzipLayer?.digest, gzipLayer?.diffId, blob ? "1" : "0", "gzip"],
  ]);
  expect(seen.blobs).toEqual(blob ? [plain.hex, gzip.hex].sort() : []);
});
