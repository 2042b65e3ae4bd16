import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellUnknownFile } from "../engine/engine.ts";
import { prepareOwnDirectory, type PreviousImages, type Release } from "../layers/layers.ts";
import { fromFiles, type NewFile } from "./llb/operations.ts";
import type { State } from "./llb/state.ts";

/** What the layering steps find: as the named contexts that the lowered text mounts. */
export interface LayersContext {
  /** `root`, mounted by the name, and the `skeleton` that their `output` begins as. */
  readonly layers: State;
  readonly blobs: State;
}

/** How many layers the steps may list and lie below, and what there was before. */
export interface LayersInput {
  readonly previous: PreviousImages;
  readonly maxLayers: number;
  readonly releases: readonly Release[];
  readonly baseLayers: number;
  /** The directory that holds the helper `layer`. */
  readonly helperDirectory: string;
}

const name = "[layers] write what the steps find";

const tellUnknown: NewFile = {
  path: `/root/${tellUnknownFile}`,
  mode: 0o644,
  data: Buffer.alloc(0),
};

export async function createLayersContext(input: LayersInput): Promise<LayersContext> {
  const directory = await mkdtemp(join(tmpdir(), "layers-"));
  try {
    await prepareOwnDirectory(directory, input.helperDirectory, {
      ...input,
      findBlob: () => Promise.resolve(undefined),
      input: "none",
    });
    const files = await listFiles(directory, "");
    const root = files.filter((one) => !isOutput(one)).map((one) => moveTo("/root", one));
    // Steps may run as any user of the container.
    const output = files
      .filter(isOutput)
      .map((one) => moveTo("/skeleton", { ...one, mode: 0o777 }));
    const layers = fromFiles(
      [newDirectory("/root"), ...root, tellUnknown, newDirectory("/skeleton"), ...output],
      name,
    );
    return {
      layers,
      blobs: fromFiles([newDirectory("/blobs"), newDirectory("/blobs/sha256")], name),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function isOutput({ path }: NewFile): boolean {
  return path === "/output" || path.startsWith("/output/");
}

function moveTo(parent: string, file: NewFile): NewFile {
  return { ...file, path: parent + file.path };
}

function newDirectory(path: string): NewFile {
  return { path, mode: 0o755 };
}

/** Directories before what is in them, each in the order of names. */
async function listFiles(directory: string, path: string): Promise<readonly NewFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const listed: NewFile[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [real, shown] = [join(directory, entry.name), `${path}/${entry.name}`];
    if (entry.isDirectory()) listed.push(newDirectory(shown), ...(await listFiles(real, shown)));
    else {
      const { mode } = await stat(real);
      listed.push({ path: shown, mode: mode & 0o777, data: await readFile(real) });
    }
  }
  return listed;
}
