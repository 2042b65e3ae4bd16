import { mkdir, mkdtemp, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createLocalReference } from "../../src/copy/reference.ts";
import { openStoredLayers } from "../../src/copy/stored-layers.ts";
import { findEngine } from "../../src/engine/engines.ts";
import type { Engine } from "../../src/engine/model.ts";
import type { CollectedLayer, CollectedOutput, PreviousImage } from "../../src/layers/model.ts";
import { assembleImage } from "../../src/oci/assemble.ts";
import type { Descriptor, Digest, Image } from "../../src/oci/model.ts";
import { parseConfig } from "../../src/oci/schema.ts";
import { arrangeKnown } from "../../src/pipeline/arrange-bases.ts";
import { withBases } from "../../src/pipeline/base-entries.ts";
import type { BaseImage } from "../../src/pipeline/bases.ts";
import { collectEngineStage, type EngineStage } from "../../src/pipeline/engine-stage.ts";
import { takeLoaded, type WantedBase } from "../../src/pipeline/find-base.ts";
import type { BuildRequest } from "../../src/pipeline/request.ts";
import { commitImage } from "../../src/store/images/commit.ts";
import { openStore } from "../../src/store/layout/open.ts";
import { withRun } from "../../src/store/runs/runs.ts";
import { testEngine } from "../support/engine.ts";
import { asPrevious } from "../support/layers/fixtures.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";

// A stage without an OUTPUT as the engine built it: what an image of ours is made of.

const sandbox = useSandbox();
const platform = { os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64" };

let engine: Engine;
let base: Pick<BaseImage, "image">;

beforeAll(async () => {
  for (const [name, value] of Object.entries(sandbox.env)) vi.stubEnv(name, value);
  engine = findEngine(testEngine, [], process.env["PATH"]);
  base = { image: await readUnfounded(await findId(baseImage)) };
  await mkdir(join(sandbox.directory, "stamps"));
});

async function findId(name: string): Promise<Digest> {
  const id = await engine.findImage(name);
  if (id === undefined) throw new Error(`there is no ${name}`);
  return id;
}

/** An image of the engine's whose layers are nowhere: only their diff IDs are known. */
async function readUnfounded(id: Digest): Promise<BaseImage["image"]> {
  const config = parseConfig(await engine.readConfig(id));
  const layers = config.rootfs.diff_ids.map((_, index): Descriptor => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: `sha256:${String(index + 1).repeat(64)}`,
    size: 1,
  }));
  return {
    manifest: { schemaVersion: 2, mediaType: "", config: none, layers },
    config,
  };
}

const none: Descriptor = { mediaType: "", digest: `sha256:${"0".repeat(64)}`, size: 0 };

interface BuildOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly from?: string;
  /** The time that steps give to files by `touch -r /stamps/time`, in seconds. */
  readonly time?: number;
}

/** Builds instructions as our sessions do. @returns the image's ID */
async function build(
  text: string,
  { files = {}, from = baseImage, time = 1_000_000_000 }: BuildOptions = {},
): Promise<Digest> {
  const { context } = await sandbox.project({ ...files, Containerfile: `FROM ${from}\n${text}\n` });
  const stamps = join(sandbox.directory, "stamps");
  await writeFile(join(stamps, "time"), "");
  await utimes(join(stamps, "time"), time, time);
  const iidfile = join(context, "iid");
  const how = [
    "--layers",
    "--force-rm",
    "--format=docker",
    "--identity-label=false",
    "--quiet",
    "--cap-add=CAP_MKNOD",
  ];
  const words = [...how, `--volume=${stamps}:/stamps:ro`, `--iidfile=${iidfile}`, context];
  await sandbox.exec(engine.name, "build", "--no-cache", ...words);
  const id = (await readFile(iidfile, "utf8")).trim();
  return `sha256:${id.replace("sha256:", "")}`;
}

interface CollectChanges extends Partial<EngineStage> {
  readonly epoch?: number;
  readonly limits?: Partial<BuildRequest["layers"]>;
}

/** What is collected, given to `look` while its files are there. */
async function collect<T>(
  id: Digest,
  { epoch, limits, ...changes }: CollectChanges,
  look: (output: CollectedOutput, staging: string) => Promise<T>,
): Promise<T> {
  const store = await openStore(await mkdtemp(join(sandbox.directory, "store-")));
  const layers = { maxLayers: 127, maxLayerSize: 1024 ** 3, ...limits };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a request it reads these alone
  const request = { layers, steps: { epoch } } as BuildRequest;
  return withRun(store, async (run) => {
    const stage: EngineStage = {
      id,
      config: parseConfig(await engine.readConfig(id)),
      name: "app",
      base,
      previous: [],
      compression: "gzip",
      reuse: undefined,
      ...changes,
    };
    const { signal } = new AbortController();
    try {
      return await look(
        await collectEngineStage({ request }, stage, { engine, run, signal }),
        run.staging,
      );
    } finally {
      expect((await readdir(run.directory)).filter((name) => name.startsWith("stage-"))).toEqual(
        [],
      );
    }
  });
}

function layersOf(output: CollectedOutput): readonly CollectedLayer[] {
  return output.entries.flatMap((one) => (one.kind === "layer" ? [one.layer] : []));
}

function digestsOf(output: CollectedOutput): readonly string[] {
  return layersOf(output).map(({ descriptor }) => descriptor.digest);
}

/** The history as a person reads it: entries without a layer in parentheses. */
function historyOf(output: CollectedOutput): readonly string[] {
  return output.entries.map((one) => {
    const history = one.kind === "layer" ? one.layer.history : one.history;
    const text = (history.created_by ?? "")
      .replace("/bin/sh -c ", "")
      .replace("#(nop) ", "")
      .trim();
    return one.kind === "layer" ? text : `(${text})`;
  });
}

/** The names in a layer's blob, as GNU tar shows them. */
async function list({ blob }: CollectedLayer): Promise<readonly string[]> {
  const text = await sandbox.exec("tar", "-tvzf", blob?.path ?? "", "--numeric-owner");
  return (
    text
      .split("\n")
      .map((line) => line.replace(/ +/g, " ").replace(/ \d{4}-\d\d-\d\d \d\d:\d\d /, " "))
      // What an engine mounts it may make a directory for.
      .filter((line) => !/ (?:run|stamps)\/$/.test(line))
  );
}

const steps = `
ENV A=1
LABEL io.xbuild.inputs=0123
RUN mkdir -p /dir/sub && echo one > /dir/sub/one && echo two > /dir/two && ln /dir/two /hard && ln -s two /dir/soft
RUN chown 1000:1000 /dir/two && chmod 4755 /dir/two && mknod /null c 1 3 && mkfifo /fifo
RUN rm -r /hard /bin/true /dir && mkdir /dir && echo new > /dir/new
LABEL io.xbuild.inputs=4567
COPY file /copied
WORKDIR /work
RUN touch -r /stamps/time /work/file /dir /bin /run 2>/dev/null; touch -r /stamps/time /work
USER app
CMD ["/bin/sh"]`;

const files = { file: "content" };

describe("a stage on a base", () => {
  let id: Digest;
  beforeAll(async () => {
    id = await build(steps, { files });
  });

  test("has the engine's layers above the base's, and the history without times and words of the engine", async () => {
    await collect(id, {}, async (output) => {
      expect(historyOf(output).map((line) => line.slice(0, 24))).toEqual([
        "(ENV A=1)",
        "mkdir -p /dir/sub && ech",
        "chown 1000:1000 /dir/two",
        "rm -r /hard /bin/true /d",
        expect.stringMatching(/^COPY file:[0-9a-f]{14}$/),
        "(WORKDIR /work)",
        "touch -r /stamps/time /w",
        "(USER app)",
        '(CMD ["/bin/sh"])',
      ]);
      const histories = output.entries.map((one) =>
        one.kind === "layer" ? one.layer.history : one.history,
      );
      for (const { created, comment } of histories) {
        expect({ created, comment }).toEqual({ created: undefined, comment: undefined });
      }
      const layers = layersOf(output);
      for (const layer of layers) {
        expect(layer).toMatchObject({ status: "new", name: layer.history.created_by });
        expect(layer.descriptor.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
      }
      const [tree, owners, removal, copy] = await Promise.all(layers.map(list));
      expect(tree).toEqual([
        "drwxr-xr-x 0/0 0 dir/",
        "lrwxrwxrwx 0/0 0 dir/soft -> two",
        "drwxr-xr-x 0/0 0 dir/sub/",
        "-rw-r--r-- 0/0 4 dir/sub/one",
        "-rw-r--r-- 0/0 4 dir/two",
        "hrw-r--r-- 0/0 0 hard link to dir/two",
      ]);
      expect(owners).toEqual(
        expect.arrayContaining([
          "-rwsr-xr-x 1000/1000 4 dir/two",
          "prw-r--r-- 0/0 0 fifo",
          "crw-r--r-- 0/0 1,3 null",
        ]),
      );
      const removed = (removal ?? []).map((line) => line.split(" ").at(-1));
      expect(removed).toEqual(
        expect.arrayContaining([".wh.hard", "bin/.wh.true", "dir/.wh..wh..opq", "dir/new"]),
      );
      expect(copy).toEqual(["-rw-r--r-- 0/0 7 copied"]);
    });
  });

  test("built again at another time it is the same layers, but for an epoch and --reuse=exact", async () => {
    const previous = [await collect(id, {}, (output) => Promise.resolve(asPrevious(output)))];
    const before = digestsOf({ ...empty, entries: entriesOf(previous[0]) });
    const again = await build(steps, { files, time: 1_100_000_000 });
    expect(again).not.toBe(id);
    await collect(again, { previous }, async (output, staging) => {
      expect(digestsOf(output)).toEqual(before);
      for (const { status, history, blob } of layersOf(output)) {
        expect({ status, created: history.created, blob }).toEqual({
          status: "equal",
          created: "2026-01-01T00:00:00Z",
          blob: undefined,
        });
      }
      expect(await readdir(staging)).toEqual([]);
    });
    expect(await collect(again, { previous, reuse: "exact" }, readLast)).toBe("new");
    expect(await collect(again, { previous, epoch: 2_000_000_000 }, readLast)).toBe("new");
    // Where the epoch is before all times they are all the same.
    const fixed = { epoch: 900_000_000 };
    const first = await collect(id, fixed, (output) => Promise.resolve(asPrevious(output)));
    expect(await collect(again, { ...fixed, previous: [first] }, readLast)).toBe("equal");
  });

  test("one step that came out otherwise is one new layer", async () => {
    const previous = [await collect(id, {}, (output) => Promise.resolve(asPrevious(output)))];
    const changed = await build(steps.replace("echo new", "echo other"), { files });
    await collect(changed, { previous }, (output) => {
      const statuses = layersOf(output).map(({ status }) => status);
      expect(statuses).toEqual(["equal", "equal", "new", "equal", "equal"]);
      return Promise.resolve();
    });
  });

  test("the whole image has the files that the engine's has, and is valid", async () => {
    const local = await takeBase(await findId(baseImage));
    await collect(id, { base: local }, async (output) => {
      const { directory } = await assemble(output, local, id);
      const [ours, theirs] = [await unpack(directory), await mountEngine(id)];
      const show =
        'cd "$1" && find . ! -path ./run ! -path . -printf "%p %y %m %U:%G %s %l %n\\n" | sort';
      const shown = (root: string) => sandbox.exec("sh", "-c", show, "sh", root);
      expect(withoutSizes(await shown(ours))).toBe(withoutSizes(await shown(theirs)));
      await sandbox.exec(
        "diff",
        "-r",
        "--no-dereference",
        "-x",
        "null",
        "-x",
        "fifo",
        ours,
        theirs,
      );
    });
  });

  test("an image with too many layers, or a too large one, is refused in words about the stage", async () => {
    const count = base.image.config.rootfs.diff_ids.length;
    await expect(collect(id, { limits: { maxLayers: 3 } }, unused)).rejects.toMatchObject({
      code: "layers-too-many",
      message: `stage "app": the image would have ${count + 5} layers (${count} of them from its base), but 3 is the limit`,
      hint: "join RUN instructions of the stage, or raise --max-layers",
    });
    const large = await build("RUN head -c 100000 /dev/zero > /large");
    const limits = { maxLayerSize: 50_000 };
    await expect(collect(large, { limits }, unused)).rejects.toMatchObject({
      code: "layer-too-large",
      message:
        'stage "app", layer of "/bin/sh -c head -c 100000 /dev/zero > /large": the layer is larger than 50000 bytes',
    });
    const whiteout = await build("RUN touch /.wh..wh.odd");
    await expect(collect(whiteout, {}, unused)).rejects.toMatchObject({
      code: "layer-tar-whiteout",
      hint: "give no file a name that begins with .wh.: in a layer it removes others",
    });
  });
});

/** Of directories, which each file system counts in its way. */
function withoutSizes(text: string): string {
  return text.replace(/^(\S+ d .*?) \d+  \d+$/gm, "$1");
}

/** What its topmost layer is. */
function readLast(output: CollectedOutput): Promise<string | undefined> {
  return Promise.resolve(layersOf(output).at(-1)?.status);
}

function unused(): Promise<void> {
  return Promise.reject(new Error("it was not refused"));
}

const empty = { config: undefined, annotations: {}, warnings: [], state: undefined } as const;

function entriesOf(previous: PreviousImage | undefined): CollectedOutput["entries"] {
  const { manifest, config } = previous?.image ?? { manifest: { layers: [] }, config: undefined };
  return manifest.layers.map((descriptor, index) => ({
    kind: "layer",
    layer: {
      name: "",
      status: "new",
      descriptor,
      diffId: config?.rootfs.diff_ids[index] ?? none.digest,
      history: {},
    },
  }));
}

/** The base's layers compressed anew. */
async function takeBase(id: Digest): Promise<BaseImage> {
  const scratch = join(await mkdtemp(join(sandbox.directory, "base-")), "scratch");
  const { signal } = new AbortController();
  return takeLoaded({ id, scratch, platform, previous: [] }, { engine, signal });
}

/** Makes an image and takes it into a store. @returns the store's directory */
async function assemble(
  output: CollectedOutput,
  local: BaseImage | undefined,
  id: Digest,
): Promise<{ readonly directory: string; readonly image: Image }> {
  const { entries } = withBases(
    output,
    arrangeKnown(local === undefined ? [] : [local], ["base"], new Map()),
  );
  const { config = {} } = parseConfig(await engine.readConfig(id));
  const image = assembleImage({
    platform,
    config,
    entries: entries.map((one) =>
      one.kind === "layer" ? { history: one.layer.history, layer: one.layer } : one,
    ),
    annotations: {},
    created: "2026-11-20T00:00:00Z",
  });
  const directory = await mkdtemp(join(sandbox.directory, "image-"));
  const stagedBlobs = layersOf(output).flatMap(({ blob }) => blob ?? []);
  await withRun(await openStore(directory), (run) =>
    commitImage(run, {
      image,
      stagedBlobs,
      files: local?.files ?? new Map(),
      names: ["localhost/whole:latest"],
    }),
  );
  expect(await validateLayout(directory)).toEqual([]);
  return { directory, image };
}

async function unpack(directory: string): Promise<string> {
  const files = join(directory, "unpacked");
  const source = `${directory}:localhost/whole:latest`;
  const copied = join(directory, "copied");
  await sandbox.exec("skopeo", "copy", "--quiet", `oci:${source}`, `oci:${copied}:whole`);
  await sandbox.exec("umoci", "raw", "unpack", "--image", `${copied}:whole`, files);
  return files;
}

/** The files of an image of the engine's. */
async function mountEngine(id: Digest): Promise<string> {
  const container = await sandbox.exec(
    "buildah",
    "from",
    "--pull-never",
    id.replace("sha256:", ""),
  );
  const files = await mkdtemp(join(sandbox.directory, "mounted-"));
  const mounted = await sandbox.exec("buildah", "mount", container);
  await sandbox.exec("cp", "-a", `${mounted}/.`, files);
  await sandbox.exec("buildah", "rm", container);
  return files;
}

test("an image from scratch, with file capabilities, attributes and 2,000 files", async () => {
  const container = await sandbox.exec("buildah", "from", "scratch");
  const root = await sandbox.exec("buildah", "mount", container);
  await mkdir(join(root, "many"));
  for (let index = 0; index < 2000; index += 1) {
    await writeFile(join(root, "many", `file-${index}`), `${index}`);
  }
  await writeFile(join(root, "ping"), "program");
  await sandbox.exec("setcap", "cap_net_raw+ep", join(root, "ping"));
  await sandbox.exec("setfattr", "-n", "user.note", "-v", "text", join(root, "ping"));
  const commit = ["commit", "--quiet", "--format=docker", container];
  const id: Digest = `sha256:${(await sandbox.exec("buildah", ...commit)).replace("sha256:", "")}`;
  await sandbox.exec("buildah", "rm", container);
  const previous = await collect(id, { base: undefined }, async (output) => {
    const { directory } = await assemble(output, undefined, id);
    const files = await unpack(directory);
    expect((await readdir(join(files, "many"))).length).toBe(2000);
    expect(await sandbox.exec("getcap", join(files, "ping"))).toContain("cap_net_raw=ep");
    const note = ["--only-values", "--absolute-names", "-n", "user.note", join(files, "ping")];
    expect(await sandbox.exec("getfattr", ...note)).toBe("text");
    return asPrevious(output);
  });
  await collect(id, { base: undefined, previous: [previous] }, (output) => {
    expect(layersOf(output).map(({ status }) => status)).toEqual(["equal"]);
    return Promise.resolve();
  });
});

test("a step that changes nothing leaves an entry without a layer", async () => {
  const container = await sandbox.exec("buildah", "from", "--pull-never", baseImage);
  const commit = ["commit", "--quiet", "--format=docker", "--rm", container];
  const from: Digest = `sha256:${await sandbox.exec("buildah", ...commit)}`;
  const { rootfs } = parseConfig(await engine.readConfig(from));
  expect(rootfs.diff_ids.at(-1)).toBe(emptyDiffId);
  const id = await build("COPY file /file", { files, from: from.replace("sha256:", "") });
  await collect(id, {}, async (output) => {
    expect(output.entries.map((one) => one.kind)).toEqual(["empty", "layer"]);
    expect(output.entries[0]).toMatchObject({ history: { empty_layer: true } });
    expect(await Promise.all(layersOf(output).map(list))).toEqual([["-rw-r--r-- 0/0 7 file"]]);
  });
});

/** Of an archive of nothing: two blocks of zeros. */
const emptyDiffId = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

test("only the layer that is wanted is taken out of the storage", async () => {
  const id = await build("RUN echo a > /a\nRUN echo b > /b");
  const diffIds = parseConfig(await engine.readConfig(id)).rootfs.diff_ids;
  const scratch = await mkdtemp(join(sandbox.directory, "stored-"));
  const reference = createLocalReference(engine.locateImage(id));
  const take = await openStoredLayers({ reference, diffIds, scratch, what: "read" });
  const { signal } = new AbortController();
  const wanted = diffIds.slice(-2);
  const paths = await Promise.all(wanted.map((diffId) => take(diffId, signal)));
  for (const [index, path] of paths.entries()) {
    expect(await sandbox.exec("sha256sum", path)).toContain(wanted[index]?.slice(7));
  }
  for (const diffId of diffIds) {
    expect((await stat(join(scratch, "blobs/sha256", diffId.slice(7)))).size).toBe(0);
  }
  await expect(take(`sha256:${"1".repeat(64)}`, signal)).rejects.toMatchObject({
    code: "copy-failed",
  });
});

describe("a base in the engine's storage", () => {
  test("layers that are known are not read, one by one", async () => {
    const id = await build("RUN echo a > /a\nRUN echo b > /b");
    const whole = await takeBase(id);
    const { diff_ids: diffIds } = whole.image.config.rootfs;
    expect(whole.files.size).toBe(diffIds.length);
    const scratch = join(await mkdtemp(join(sandbox.directory, "base-")), "scratch");
    const previous = [readKnown(whole, [0]), readKnown(whole, [1])].map(asPreviousImage);
    const { signal } = new AbortController();
    const wanted: WantedBase = { id, scratch, platform, previous };
    const some = await takeLoaded(wanted, { engine, signal });
    const layers = some.image.manifest.layers;
    expect(layers.slice(0, 2).map(({ digest }) => digest)).toEqual([marked(0), marked(1)]);
    expect(layers.slice(2)).toEqual(whole.image.manifest.layers.slice(2));
    expect([...some.files.keys()]).toEqual(layers.slice(2).map(({ digest }) => digest));
    for (const diffId of diffIds.slice(0, 2)) {
      expect((await stat(join(scratch, "blobs/sha256", diffId.slice(7)))).size).toBe(0);
    }
    const all = asPreviousImage(readKnown(whole, [...diffIds.keys()]));
    const nowhere: WantedBase = { ...wanted, scratch: join(scratch, "nowhere"), previous: [all] };
    const none = await takeLoaded(nowhere, { engine, signal });
    expect(none.files.size).toBe(0);
    await expect(stat(nowhere.scratch)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

function marked(index: number): Digest {
  return `sha256:${String(index).padStart(64, "f")}`;
}

/** An image that has some layers of another, under digests of its own. */
function readKnown({ image }: BaseImage, indexes: readonly number[]): Image {
  return assembleImage({
    platform,
    config: {},
    entries: indexes.map((index) => ({
      history: { created_by: `layer ${index}` },
      layer: {
        descriptor: { ...(image.manifest.layers[index] ?? none), digest: marked(index) },
        diffId: image.config.rootfs.diff_ids[index] ?? none.digest,
      },
    })),
    annotations: {},
    created: "2026-11-20T00:00:00Z",
  });
}

function asPreviousImage(image: Image): PreviousImage {
  return { ...asPrevious({ ...empty, entries: [] }), image };
}
