import {
  describeType,
  type OutputDirectory,
  refuse,
  showName,
  statName,
} from "../../archive/archive.ts";
import type { XbuildError } from "../../errors.ts";
import { listSome } from "../../text.ts";
import type { OutputScan } from "../directory/output-scan.ts";

/** The error for an output that lists no layer, which says what was found there instead. */
export function refuseNoLayers(output: OutputDirectory, scan: OutputScan): XbuildError {
  const others = listOthers(scan);
  const found = [describeHistory(output) ?? "output/layers is empty", ...describeOthers(others)];
  const message = `the build listed no layers: ${found.join(", and ")}`;
  return refuse("layers-none", message, { file: "output", hint: chooseHint(others) });
}

interface Other {
  /** From `output/` on. */
  readonly path: string;
  readonly type: string;
}

/** What belongs nowhere, which the scan warns of. */
function listOthers({ others }: OutputScan): readonly Other[] {
  return others.map(({ directory, name }) => {
    const stats = statName(directory, name);
    return {
      path: showName(directory, name),
      type: stats === undefined ? "gone" : describeType(stats),
    };
  });
}

function describeHistory(output: OutputDirectory): string | undefined {
  const files = ["history.json", "history.jsonl"];
  const file = files.find((name) => statName(output, name) !== undefined);
  return file === undefined ? undefined : `output/${file} lists none`;
}

function describeOthers(others: readonly Other[]): readonly string[] {
  if (others.length === 0) return [];
  const shown = listSome(
    others.map(({ path, type }) => `${path} (${type})`),
    5,
  );
  return [`what else is there is no layer: ${shown}`];
}

/** By what the build most likely meant. */
function chooseHint(others: readonly Other[]): string {
  const [first] = others;
  if (others.some(({ path, type }) => path === "output/output" && type === "directory"))
    return "write to output/ itself: what is in output/output is not looked at";
  if (first?.path.startsWith("output/layers/") === true)
    return "give each layer a directory in output/layers, or an archive named .tar, .tar.gz or .tar.zst";
  if (first?.path.startsWith("output/blobs/") === true)
    return "put blobs into output/blobs/sha256, each named by its digest, and list them in output/history.json";
  if (first !== undefined) return "put what belongs to layers into output/layers/NAME/";
  return "write layers to output/layers, or output/history.json with blobs or kept layers";
}
