import { posix } from "node:path";
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

/** What is in a directory or an archive of another file system, at the root of an empty one. */
export function copyOut(
  from: State,
  { path, isArchive }: { readonly path: string; readonly isArchive: boolean },
  name: string,
): State {
  const action = createCopy(path, isArchive);
  const actions = [{ input: -1n, secondaryInput: 0n, output: 0n, action }];
  return addOp({ op: { case: "file", value: { actions } }, inputs: [from], name });
}

function createCopy(src: string, isArchive: boolean): FileStep {
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

type FileStep = NonNullable<
  NonNullable<MessageInitShape<typeof FileOpSchema>["actions"]>[number]["action"]
>;

/** An archive that takes paths away of the layers below. All absolute. */
export interface HidingArchive {
  readonly path: string;
  readonly removed: readonly string[];
}

/**
 * A layer of an archive with whiteouts: what is taken away is in a file system below, of which it is taken away, so that
 * BuildKit knows of it. The whiteouts' own files go then. What makes a directory opaque stays a file: BuildKit says it of
 * names that it knows alone, and whoever reads the layer afterwards knows the file. BuildKit, `docs/dev/merge-diff.md`
 */
export function copyHiding(from: State, { path, removed }: HidingArchive, name: string): State {
  const lower = fromFiles(withParents(removed), `[internal] what ${name} takes away`);
  const whiteouts = removed.map((one) =>
    posix.join(posix.dirname(one), `.wh.${posix.basename(one)}`),
  );
  const remove = (one: string): FileStep => ({
    case: "rm",
    value: { path: one, allowNotFound: true },
  });
  const steps = [...removed.map(remove), createCopy(path, true), ...whiteouts.map(remove)];
  const inputs = [lower, from];
  const actions = steps.map((action, at) => ({
    // What the one before has made is counted behind the inputs.
    input: BigInt(at === 0 ? 0 : inputs.length + at - 1),
    secondaryInput: action.case === "copy" ? 1n : -1n,
    output: at === steps.length - 1 ? 0n : -1n,
    action,
  }));
  const upper = addOp({ op: { case: "file", value: { actions } }, inputs, name });
  return diff(lower, upper, name);
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
  /** A directory of the state. */
  readonly selector: string;
  readonly target: string;
  /** Whether what is found counts, and not how it came to be. */
  readonly isByContent: boolean;
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
const [noNetwork, contentCacheOn, contentCacheOff] = [2, 1, 2];

/** Runs a program without a network. @returns what it has written */
export function runProgram(program: Program): State {
  const { root, args, env, mounts, output, name, ignoreCache } = program;
  const states = [...new Map([root, ...mounts.map(({ state }) => state)].map(nameState)).values()];
  const read = mounts.map(({ state, selector, target, isByContent }) => ({
    input: BigInt(states.findIndex((one) => nameState(one)[0] === nameState(state)[0])),
    selector,
    dest: target,
    output: -1n,
    readonly: true,
    contentCache: isByContent ? contentCacheOn : contentCacheOff,
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
    inputs: states,
    name,
    metadata: { ignoreCache },
  });
}

/** An operation has each input once. */
function nameState(state: State): readonly [name: string, state: State] {
  return [`${state.output?.digest} ${state.output?.index}`, state];
}
