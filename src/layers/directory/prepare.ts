import { constants } from "node:fs";
import { chmod, copyFile, link, lstat, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { digestHex, type Digest } from "../../oci/oci.ts";
import { copyOwnTree } from "../../system/own-tree.ts";
import { renderHistory, renderLast, renderNames, renderNamesScript } from "./history-document.ts";
import { renderReleases } from "./releases.ts";
import type { DirectoryIdentity, LayersInput } from "../model.ts";
import { listPreviousEntries } from "../collect/previous.ts";
import { refuse } from "../../archive/archive.ts";

/** A blob that the build may read, as it was when it was laid out. */
export interface InputBlob {
  readonly path: string;
  readonly hex: string;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** The `<path>` of an OUTPUT as directories of this machine. */
export interface PreparedLayers {
  /** What the steps find at `<path>`; they cannot write there. */
  readonly root: string;
  /** For what the steps write to `<path>/output`: empty but for the directories that layers and blobs belong into. */
  readonly output: string;
  readonly inputBlobs: readonly InputBlob[];
  /** Of the output directory. */
  readonly identity: DirectoryIdentity;
}

/**
 * Makes the directories that a build with OUTPUT finds at its path: `<directory>/root`, to be mounted
 * read-only, and `<directory>/output`, to be mounted at its `output/`. Blobs are hard links of the store's
 * where that is possible. `helperDirectory` holds the program `layer`. `directory` must lie where no other user of
 * the machine gets in, for every user of the container may write to the output.
 */
export async function prepareLayersDirectory(
  directory: string,
  helperDirectory: string,
  input: LayersInput,
): Promise<PreparedLayers> {
  await mkdir(directory, { recursive: true });
  const root = await makeDirectory(join(directory, "root"));
  const output = await makeDirectory(join(directory, "output"));
  await makeDirectory(join(root, "output"));
  const inputBlobs = await fillRoot(root, helperDirectory, { ...input, layOut: linkBlob });
  // A step may run as any user of the container.
  const opened = [output, ...(await makeOutputDirectories(output))];
  await Promise.all(opened.map((path) => chmod(path, 0o777)));
  const { dev, ino } = await lstat(output, { bigint: true });
  return { root, output, inputBlobs, identity: { dev, ino } };
}

/**
 * The same as one directory, in which a program that runs in no container finds it all: an empty one, of which all is the
 * caller's from then on. So blobs are copies, which share their space where the file system can.
 */
export async function prepareOwnDirectory(
  directory: string,
  helperDirectory: string,
  input: LayersInput,
): Promise<void> {
  await fillRoot(directory, helperDirectory, { ...input, layOut: copyReadable });
  const output = join(directory, "output");
  await mkdir(output);
  await makeOutputDirectories(output);
}

/** Puts a blob of the store's into the directory. */
type LayOut = (source: string, path: string) => Promise<void>;

type RootInput = LayersInput & { readonly layOut: LayOut };

/** Empty directories in `mnt/` for what steps mount: no path of the image has to be there for it. */
const mountNames = ["base", "files", "image"] as const;

/** All but `output/`. */
async function fillRoot(
  root: string,
  helperDirectory: string,
  input: RootInput,
): Promise<readonly InputBlob[]> {
  await makeDirectory(join(root, "bin"));
  const mounts = await makeDirectory(join(root, "mnt"));
  for (const name of mountNames) await makeDirectory(join(mounts, name));
  const inputBlobs = await layOutInput(await makeDirectory(join(root, "input")), input);
  const present = new Set(inputBlobs.map((blob) => blob.hex));
  const hasBlob = (digest: Digest): boolean => present.has(digestHex(digest));
  await writeReadable(join(root, "history.json"), renderHistory(input.previous, input, hasBlob));
  await writeReadable(join(root, "names"), renderNames(input.previous, hasBlob));
  await writeReadable(join(root, "bin", "names.sh"), renderNamesScript(input.previous));
  const last = renderLast(input.previous, input.state?.image);
  await writeReadable(join(root, "bin", "last"), last);
  const { releases = [] } = input;
  if (releases.length > 0)
    await writeReadable(join(root, "bin", "history"), renderReleases(releases));
  await copyFile(join(helperDirectory, "layer"), join(root, "bin", "layer"));
  await chmod(join(root, "bin", "layer"), 0o755);
  return inputBlobs;
}

/** Those that layers and blobs belong into: a step need make none. @returns their paths */
async function makeOutputDirectories(output: string): Promise<readonly string[]> {
  const paths = ["layers", "blobs", "blobs/sha256"].map((name) => join(output, name));
  for (const path of paths) await mkdir(path);
  return paths;
}

/** Readable for every user of the container, whatever our umask. */
async function makeDirectory(path: string): Promise<string> {
  await mkdir(path);
  await chmod(path, 0o755);
  return path;
}

async function layOutInput(directory: string, input: RootInput): Promise<readonly InputBlob[]> {
  await layOutState(join(directory, "state"), input.state?.directory);
  const blobs = await makeDirectory(join(directory, "blobs"));
  return layOutBlobs(await makeDirectory(join(blobs, "sha256")), input);
}

async function layOutBlobs(directory: string, input: RootInput): Promise<readonly InputBlob[]> {
  if (input.input === "none") return [];
  const digests = new Set(
    input.previous
      .flatMap((image) => listPreviousEntries(image))
      .flatMap(({ layer }) => (layer === undefined ? [] : [layer.descriptor.digest])),
  );
  const blobs = await Promise.all(
    [...digests].map(async (digest) => {
      const source = await input.findBlob(digest);
      return source === undefined
        ? []
        : [await layOutBlob(join(directory, digestHex(digest)), source, input)];
    }),
  );
  return blobs.flat();
}

async function layOutBlob(path: string, source: string, { layOut }: RootInput): Promise<InputBlob> {
  await layOut(source, path);
  const { ino, size, mtimeNs } = await lstat(path, { bigint: true });
  return { path, hex: basename(path), ino, size, mtimeNs };
}

/** A copy on another file system, or one without links. */
async function linkBlob(source: string, path: string): Promise<void> {
  await link(source, path).catch(() => copyReadable(source, path));
}

async function copyReadable(source: string, path: string): Promise<void> {
  await copyFile(source, path, constants.COPYFILE_FICLONE);
  await chmod(path, 0o644);
}

async function layOutState(path: string, state: string | undefined): Promise<void> {
  if (state === undefined) await makeDirectory(path);
  else await copyOwnTree(state, path);
}

async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/**
 * To be called when the build has ended. Errors: `input-changed` where a blob that was laid out for it is
 * no longer what it was.
 */
export async function assertInputUnchanged(prepared: PreparedLayers): Promise<void> {
  for (const blob of prepared.inputBlobs) {
    const now = await lstat(blob.path, { bigint: true }).catch(() => undefined);
    const isSame =
      now?.ino === blob.ino &&
      now.size === blob.size &&
      now.mtimeNs === blob.mtimeNs &&
      now.isFile();
    if (isSame) continue;
    const place = { file: `input/blobs/sha256/${blob.hex}` };
    const hint = "copy a blob before you change it, and check the store with xbuild cache verify";
    throw refuse("input-changed", "the build changed a blob of its input", { ...place, hint });
  }
}
