import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DefinitionSchema, OpSchema } from "../gateway/messages/llb_pb.ts";
import { copyOut, diff, fromFiles, fromSource, merge, runProgram } from "./operations.ts";
import { findBottom } from "./find-bottom.ts";
import {
  addOp,
  inputsOf,
  readSource,
  readState,
  scratch,
  type State,
  writeState,
} from "./state.ts";
import { unpackLayer } from "./unpack-layer.ts";

const image = fromSource("docker-image://a@sha256:b", { "image.layerlimit": "2" }, "an image");
const files = fromFiles(
  [
    { path: "/d", mode: 0o755 },
    { path: "/d/f", mode: 0o644, data: Buffer.from("x") },
  ],
  "files",
);

/** As it goes over the wire, and back. */
function roundTrip(state: State): State {
  const bytes = toBinary(DefinitionSchema, writeState(state));
  return readState(fromBinary(DefinitionSchema, bytes));
}

/** The operation that a state comes of. */
function operation({ output, graph }: State) {
  const vertex = graph.get(output?.digest ?? "");
  if (vertex === undefined) throw new Error("a state has an operation");
  return fromBinary(OpSchema, vertex.bytes);
}

test("a graph comes back as it was, each operation behind those that it needs", () => {
  const state = merge([image, copyOut(files, "/d", "copy"), files], "all");
  const back = roundTrip(state);
  expect(back.output?.digest).toBe(state.output?.digest);
  expect([...back.graph.keys()]).toEqual([...state.graph.keys()]);
  const seen = new Set<string>();
  for (const [digest, { bytes }] of back.graph) {
    for (const input of fromBinary(OpSchema, bytes).inputs) expect(seen).toContain(input.digest);
    seen.add(digest);
  }
});

test("names are told, and change nothing about what an operation is", () => {
  const renamed = fromSource("docker-image://a@sha256:b", { "image.layerlimit": "2" }, "other");
  expect(renamed.output).toEqual(image.output);
  const { metadata } = writeState(renamed);
  expect(metadata[renamed.output?.digest ?? ""]?.description).toEqual({
    "llb.customname": "other",
  });
});

test("an empty file system has no operation", () => {
  expect(writeState(scratch).def).toEqual([]);
  expect(readState(writeState(scratch))).toEqual(scratch);
  expect(merge([scratch, scratch], "none")).toBe(scratch);
  expect(merge([scratch, image], "one")).toBe(image);
  expect(diff(scratch, image, "all of it")).toBe(image);
});

test("what a state is made of", () => {
  const copy = copyOut(image, "/", "copy");
  expect(inputsOf(copy).map(({ output }) => output?.digest)).toEqual([image.output?.digest]);
  expect(readSource(image)?.identifier).toBe("docker-image://a@sha256:b");
  expect(readSource(copy)).toBeUndefined();
});

test("a program has its own root, what it finds, and one directory to write to", () => {
  const made = runProgram({
    root: image,
    args: ["/p"],
    env: [],
    mounts: [{ state: files, target: "/in" }],
    output: "/out",
    name: "run",
    ignoreCache: true,
  });
  const { op } = operation(made);
  if (op.case !== "exec") throw new Error("a program is run");
  expect(op.value.network).toBe(2);
  expect(
    op.value.mounts.map(({ dest, input, output, readonly }) => [dest, input, output, readonly]),
  ).toEqual([
    ["/", 0n, -1n, true],
    ["/in", 1n, -1n, true],
    ["/out", -1n, 0n, false],
  ]);
  const { metadata } = writeState(made);
  expect(metadata[made.output?.digest ?? ""]?.ignoreCache).toBe(true);
});

test("a layer that takes something away stands on what it takes away; on others it takes it away itself", () => {
  const layer = { from: files, path: "/a.tar", removed: ["/d/gone"], name: "l" };
  const alone = unpackLayer(layer);
  expect(operation(alone).op.case).toBe("diff");
  const above = operation(unpackLayer(layer, image));
  if (above.op.case !== "file") throw new Error("a layer is unpacked");
  expect(above.op.value.actions.map(({ action }) => action.case)).toEqual(["rm", "copy", "rm"]);
  expect(operation(unpackLayer({ ...layer, removed: [] })).inputs).toHaveLength(1);
});

test("what a file system stands on at last", () => {
  const run = addOp({
    op: {
      case: "exec",
      value: {
        mounts: [
          { input: 0n, dest: "/", output: 0n },
          { input: 1n, dest: "/m", output: -1n },
        ],
      },
    },
    inputs: [image, files],
    name: "run",
  });
  const above = unpackLayer({ from: files, path: "/a.tar", removed: [], name: "l" }, run);
  expect(findBottom(above)?.output).toMatchObject(image.output ?? {});
  expect(findBottom(files)).toBeUndefined();
  expect(findBottom(merge([image, files], "both"))).toBeUndefined();
  expect(findBottom(scratch)).toBeUndefined();
});
