import { fromBinary } from "@bufbuild/protobuf";
import { type Op, OpSchema } from "../gateway/messages/llb_pb.ts";
import { inputsOf, type State } from "./state.ts";

/**
 * What a file system stands on at last: the source below all steps that have changed it. undefined where that is an empty
 * one, or where it is put together of several.
 */
export function findBottom(state: State): State | undefined {
  for (let at: State | undefined = state; at?.output !== undefined; at = below(at)) {
    const vertex = at.graph.get(at.output.digest);
    if (vertex === undefined) return undefined;
    if (fromBinary(OpSchema, vertex.bytes).op.case === "source") return at;
  }
  return undefined;
}

/** The state that an operation has changed. */
function below(state: State): State | undefined {
  const vertex = state.graph.get(state.output?.digest ?? "");
  if (vertex === undefined) return undefined;
  const input = findInput(fromBinary(OpSchema, vertex.bytes).op, Number(state.output?.index));
  return input === undefined || input < 0 ? undefined : inputsOf(state)[input];
}

/** @param index of the output. @returns the index of the input; negative for an empty file system */
function findInput(op: Op["op"], index: number): number | undefined {
  if (op.case === "exec") {
    const mount = op.value.mounts.find(({ output }) => output === BigInt(index));
    return mount === undefined ? undefined : Number(mount.input);
  }
  // Further actions change what the first has made.
  if (op.case === "file") return Number(op.value.actions[0]?.input ?? -1n);
  return undefined;
}
