import { posix } from "node:path";
import { createCopy, diff, type FileStep, fromFiles, type NewFile } from "./operations.ts";
import { addOp, scratch, type State } from "./state.ts";

/** A layer that is an archive in a file system. */
export interface NewLayer {
  readonly from: State;
  /** Of the archive: absolute. */
  readonly path: string;
  /** What it takes away of the layers below: absolute paths. */
  readonly removed: readonly string[];
  readonly name: string;
}

/**
 * A layer alone; or on what is below it, which it stands on then. What is taken away is in a file system below, of which it is
 * taken away, so that BuildKit knows of it; the whiteouts' own files go then. What makes a directory opaque stays a file:
 * BuildKit says it of names that it knows alone, and whoever reads the layer afterwards knows the file. BuildKit,
 * `docs/dev/merge-diff.md`
 */
export function unpackLayer(layer: NewLayer, below: State = scratch): State {
  const { removed, name } = layer;
  if (below.output !== undefined || removed.length === 0) return addLayer(layer, below);
  const lower = fromFiles(withParents(removed), `[internal] what ${name} takes away`);
  return diff(lower, addLayer(layer, lower), name);
}

function addLayer({ from, path, removed, name }: NewLayer, below: State): State {
  const steps = [
    ...removed.map(remove),
    createCopy(path, { isArchive: true }),
    ...removed.map((one) => remove(nameWhiteout(one))),
  ];
  const hasBelow = below.output !== undefined;
  const inputs = hasBelow ? [below, from] : [from];
  const source = BigInt(inputs.length - 1);
  const actions = steps.map((action, at) => ({
    // What the one before has made is counted behind the inputs.
    input: at === 0 ? (hasBelow ? 0n : -1n) : BigInt(inputs.length + at - 1),
    secondaryInput: action.case === "copy" ? source : -1n,
    output: at === steps.length - 1 ? 0n : -1n,
    action,
  }));
  return addOp({ op: { case: "file", value: { actions } }, inputs, name });
}

function remove(path: string): FileStep {
  return { case: "rm", value: { path, allowNotFound: true } };
}

/** image-spec v1.1, layer.md, "Whiteouts" */
function nameWhiteout(path: string): string {
  return posix.join(posix.dirname(path), `.wh.${posix.basename(path)}`);
}

function withParents(paths: readonly string[]): readonly NewFile[] {
  const directories = new Set(paths.flatMap((one) => listParents(one)));
  return [
    ...[...directories].sort().map((path) => ({ path, mode: 0o755 })),
    ...paths.map((path) => ({ path, mode: 0o644, data: new Uint8Array() })),
  ];
}

/** Of an absolute path, without the root. */
function listParents(path: string): readonly string[] {
  const parent = posix.dirname(path);
  return parent === "/" ? [] : [...listParents(parent), parent];
}
