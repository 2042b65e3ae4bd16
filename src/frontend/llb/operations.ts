import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FileOpSchema } from "../gateway/messages/llb_pb.ts";
import { addOp, scratch, type State } from "./state.ts";

/** A source by its identifier: `local://NAME`, `docker-image://NAME@DIGEST`. BuildKit, `solver/pb/attr.go` */
export function fromSource(
  identifier: string,
  attrs: Readonly<Record<string, string>>,
  name: string,
): State {
  return addOp({ op: { case: "source", value: { identifier, attrs } }, name });
}

/** A file with its bytes; a directory where there are none. */
export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  readonly data?: Uint8Array;
}

/** A file system of these files alone, in an order in which directories come before what is in them. */
export function fromFiles(files: readonly NewFile[], name: string): State {
  const actions = files.map(({ path, mode, data }, at) => {
    const made = { path, mode, timestamp: 0n };
    return {
      // What the one before has made is counted behind the inputs, of which there are none.
      input: BigInt(at - 1),
      secondaryInput: -1n,
      output: at === files.length - 1 ? 0n : -1n,
      action:
        data === undefined
          ? { case: "mkdir" as const, value: made }
          : { case: "mkfile" as const, value: { ...made, data } },
    };
  });
  return addOp({ op: { case: "file", value: { actions } }, name });
}

/** What is in a directory of another file system, at the root of an empty one. */
export function copyOut(from: State, path: string, name: string): State {
  return onScratch(createCopy(path, { isArchive: false }), from, name);
}

/** What is in an archive of another file system, at the root of an empty one. */
export function unpack(from: State, path: string, name: string): State {
  return onScratch(createCopy(path, { isArchive: true }), from, name);
}

function onScratch(action: FileStep, from: State, name: string): State {
  const actions = [{ input: -1n, secondaryInput: 0n, output: 0n, action }];
  return addOp({ op: { case: "file", value: { actions } }, inputs: [from], name });
}

export type FileStep = NonNullable<
  NonNullable<MessageInitShape<typeof FileOpSchema>["actions"]>[number]["action"]
>;

export function createCopy(src: string, { isArchive }: { readonly isArchive: boolean }): FileStep {
  const value = {
    src,
    dest: "/",
    mode: -1,
    dirCopyContents: true,
    attemptUnpackDockerCompatibility: isArchive,
    createDestPath: true,
    timestamp: -1n,
  };
  return { case: "copy", value };
}

/** All of these, each on top of those before it: as many layers as they have together. */
export function merge(states: readonly State[], name: string): State {
  const inputs = states.filter(({ output }) => output !== undefined);
  const [first = scratch] = inputs;
  if (inputs.length < 2) return first;
  const value = { inputs: inputs.map((_, at) => ({ input: BigInt(at) })) };
  return addOp({ op: { case: "merge", value }, inputs, name });
}

/** What has to be laid on the lower one for the upper one. */
export function diff(lower: State, upper: State, name: string): State {
  if (lower.output === undefined) return upper;
  const value = { lower: { input: 0n }, upper: { input: 1n } };
  return addOp({ op: { case: "diff", value }, inputs: [lower, upper], name });
}

/** What a program finds, read-only. */
export interface ReadMount {
  readonly state: State;
  readonly target: string;
}

export interface Program {
  readonly root: State;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly mounts: readonly ReadMount[];
  /** Where the program finds an empty directory: what it leaves there is what the step comes to. */
  readonly output: string;
  readonly name: string;
  readonly ignoreCache: boolean;
}

/** Of `NetMode` and `MountContentCache`. BuildKit, `solver/pb/ops.proto` */
const [noNetwork, noContentCache] = [2, 2];

/** Runs a program without a network. What it finds is known by what made it, and not read for that. @returns what it has written */
export function runProgram(program: Program): State {
  const { root, args, env, mounts, output, name, ignoreCache } = program;
  const read = mounts.map(({ target }, at) => ({
    input: BigInt(at + 1),
    dest: target,
    output: -1n,
    readonly: true,
    contentCache: noContentCache,
  }));
  const value = {
    meta: { args: [...args], env: [...env], cwd: "/", removeMountStubsRecursive: true },
    network: noNetwork,
    mounts: [
      { input: 0n, dest: "/", output: -1n, readonly: true },
      ...read,
      { input: -1n, dest: output, output: 0n },
    ],
  };
  return addOp({
    op: { case: "exec", value },
    inputs: [root, ...mounts.map(({ state }) => state)],
    name,
    metadata: { ignoreCache },
  });
}
