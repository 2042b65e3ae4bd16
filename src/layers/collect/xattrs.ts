import type { Diagnostic } from "../../diagnostics.ts";
import type { LooseLayer } from "../directory/loose-layers.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import {
  readProgram,
  refuseTar,
  showBytes,
  type ByteString,
  type Entry,
} from "../../archive/archive.ts";
import { listXattrPrograms, type XattrProgram } from "./xattr-programs.ts";

/** The extended attributes of a path of a loose tree, by name. */
export type FindXattrs = (layer: LooseLayer, path: ByteString) => Entry["xattrs"];

type Attributes = Map<ByteString, [name: ByteString, value: ByteString][]>;

/** Bytes of all attributes of a build's trees together, as they are held in memory. */
const maxSize = 64 * 1024 * 1024;

export interface XattrOptions {
  readonly warn: (warning: Diagnostic) => void;
  readonly signal?: AbortSignal | undefined;
  readonly programs?: readonly XattrProgram[];
}

/**
 * The extended attributes (file capabilities, ACLs) of everything in the trees of `output/layers`. Node has no
 * call for them, so a program reads them; where none is there, a warning says what is lost.
 */
export async function readTreeXattrs(
  scan: OutputScan,
  { warn, signal, programs = listXattrPrograms(process.arch) }: XattrOptions,
): Promise<FindXattrs> {
  const { layerDirectory } = scan;
  const hasTrees = scan.layers.some((layer) => layer.kind === "tree");
  if (layerDirectory === undefined || !hasTrees) return () => [];
  const directory = layerDirectory.fd;
  for (const { program, args } of programs) {
    const attributes: Attributes = new Map();
    const collect = createCollector(attributes);
    const outcome = await readProgram({ program, args, directory }, collect, signal);
    if (outcome.failure === undefined)
      return (layer, path) => sortByName(attributes.get(`${layer.fileName}/${path}`) ?? []);
    if (!outcome.isMissing) warn(warnFailure(program, outcome.failure));
  }
  warn(warnMissing());
  return () => [];
}

/** Takes `path NUL name NUL hex NUL` as it comes. */
function createCollector(attributes: Attributes): (chunk: Buffer) => void {
  const fields: string[] = [];
  let rest = "";
  let size = 0;
  return (chunk) => {
    size += chunk.length;
    if (size > maxSize) {
      const message = `the trees have more than ${maxSize} bytes of extended attributes`;
      throw refuseTar("layer-too-many-entries", message, "output/layers");
    }
    const [first = "", ...others] = chunk.toString("latin1").split("\0");
    const parts = [rest + first, ...others];
    rest = parts.pop() ?? "";
    for (const part of parts) {
      fields.push(part);
      if (fields.length === 3) addAttribute(attributes, fields.splice(0));
    }
  };
}

function addAttribute(
  attributes: Attributes,
  [path = "", name = "", hex = ""]: readonly string[],
): void {
  const known = attributes.get(path) ?? [];
  attributes.set(path, known);
  known.push([name, Buffer.from(hex, "hex").toString("latin1")]);
}

function sortByName(attributes: Entry["xattrs"]): Entry["xattrs"] {
  return [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
}

function warnFailure(program: string, failure: string): Diagnostic {
  return {
    code: "layer-xattrs-unread",
    severity: "warning",
    message: `${program} could not read extended attributes: ${showBytes(failure)}`,
    file: "output/layers",
  };
}

function warnMissing(): Diagnostic {
  return {
    code: "layer-xattrs-unread",
    severity: "warning",
    message:
      "extended attributes, such as file capabilities, were not read and are missing from the layers",
    hint: "install perl or python3 on this machine, or give the layers as tar archives with attributes",
    file: "output/layers",
  };
}
