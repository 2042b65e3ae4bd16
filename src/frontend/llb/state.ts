import { createHash } from "node:crypto";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Definition,
  DefinitionSchema,
  type Input,
  type Op,
  type OpMetadata,
  OpMetadataSchema,
  OpSchema,
  type Range,
  type SourceInfo,
  type SourceOp,
} from "../gateway/messages/llb_pb.ts";

/** Where an operation stands in a file. */
export interface OpSource {
  readonly info: SourceInfo;
  readonly ranges: readonly Range[];
}

/** An operation of a graph; what it comes to is known by the digest of its bytes. */
export interface Vertex {
  /** A message `Op`. */
  readonly bytes: Uint8Array;
  readonly metadata: OpMetadata | undefined;
  readonly sources: readonly OpSource[];
}

/**
 * What a file system comes to, if somebody wants it: an output of an operation, and the graph below it, each operation
 * behind those that it needs. An empty file system (`scratch`) has none. BuildKit, `solver/pb/ops.proto`, `Definition`
 */
export interface State {
  readonly output: Pick<Input, "digest" | "index"> | undefined;
  readonly graph: ReadonlyMap<string, Vertex>;
}

export const scratch: State = { output: undefined, graph: new Map() };

/** Reads a graph as BuildKit gives it. An empty one is `scratch`. */
export function readState(definition: Definition | undefined): State {
  const operations = definition?.def ?? [];
  const end = operations.at(-1);
  if (definition === undefined || end === undefined) return scratch;
  const { locations = {}, infos = [] } = definition.source ?? {};
  const graph = new Map<string, Vertex>();
  for (const bytes of operations.slice(0, -1)) {
    const digest = digestOf(bytes);
    const sources = (locations[digest]?.locations ?? []).flatMap((one): readonly OpSource[] => {
      const info = infos[one.sourceIndex];
      return info === undefined ? [] : [{ info, ranges: one.ranges }];
    });
    graph.set(digest, { bytes, metadata: definition.metadata[digest], sources });
  }
  const [output] = fromBinary(OpSchema, end).inputs;
  return { output, graph };
}

/** The same for BuildKit. */
export function writeState({ output, graph }: State): Definition {
  if (output === undefined) return create(DefinitionSchema, {});
  const end = toBinary(OpSchema, create(OpSchema, { inputs: [output] }));
  const infos: SourceInfo[] = [];
  const placeOf = (info: SourceInfo): number => {
    const known = infos.findIndex((one) => isSameInfo(one, info));
    return known >= 0 ? known : infos.push(info) - 1;
  };
  const locations = [...graph].map(([digest, { sources }]) => {
    const places = sources.map(({ info, ranges }) => ({
      sourceIndex: placeOf(info),
      ranges: [...ranges],
    }));
    return [digest, { locations: places }] as const;
  });
  const metadata = [...graph].flatMap(([digest, one]) =>
    one.metadata === undefined ? [] : [[digest, one.metadata] as const],
  );
  return create(DefinitionSchema, {
    def: [...[...graph.values()].map(({ bytes }) => bytes), end],
    metadata: Object.fromEntries([
      ...metadata,
      [digestOf(end), create(OpMetadataSchema, { caps: { constraints: true, platform: true } })],
    ]),
    source: { locations: Object.fromEntries(locations), infos },
  });
}

function isSameInfo(one: SourceInfo, other: SourceInfo): boolean {
  return (
    one === other ||
    (one.filename === other.filename && Buffer.from(one.data).equals(Buffer.from(other.data)))
  );
}

/** An operation to be, without its inputs. */
export interface NewOp {
  readonly op: NonNullable<MessageInitShape<typeof OpSchema>["op"]>;
  /** Each no `scratch`: an operation has no input for an empty file system. */
  readonly inputs?: readonly State[];
  readonly platform?: MessageInitShape<typeof OpSchema>["platform"] | undefined;
  /** What a client shows of it. */
  readonly name: string;
  readonly sources?: readonly OpSource[];
  readonly metadata?: MessageInitShape<typeof OpMetadataSchema>;
}

/** @returns what the first output of an operation comes to */
export function addOp({ op, inputs = [], platform, name, sources = [], metadata }: NewOp): State {
  const outputs = inputs.flatMap(({ output }) => output ?? []);
  if (outputs.length < inputs.length) throw new RangeError("scratch is no input");
  const bytes = toBinary(
    OpSchema,
    create(OpSchema, { inputs: outputs, op, ...(platform && { platform }) }),
  );
  const digest = digestOf(bytes);
  const described = create(OpMetadataSchema, {
    ...metadata,
    description: { "llb.customname": name },
  });
  const graph = new Map(inputs.flatMap((one) => [...one.graph]));
  graph.set(digest, { bytes, metadata: described, sources });
  return { output: { digest, index: 0n }, graph };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** What the operation that a state comes of is made of. */
export function inputsOf({ output, graph }: State): readonly State[] {
  const vertex = graph.get(output?.digest ?? "");
  if (vertex === undefined) return [];
  return fromBinary(OpSchema, vertex.bytes).inputs.map((input) => ({
    output: input,
    graph: narrow(graph, input.digest),
  }));
}

/** The part of a graph that an operation needs, in its order. */
function narrow(graph: State["graph"], end: string): State["graph"] {
  const needed = new Set<string>();
  const waiting = [end];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const vertex = graph.get(next);
    if (vertex === undefined || needed.has(next)) continue;
    needed.add(next);
    waiting.push(...fromBinary(OpSchema, vertex.bytes).inputs.map(({ digest }) => digest));
  }
  return new Map([...graph].filter(([digest]) => needed.has(digest)));
}

/** The source that a state is, and for which platform; undefined for anything that is made of others. */
export function readSource({
  output,
  graph,
}: State): (SourceOp & Pick<Op, "platform">) | undefined {
  const vertex = graph.get(output?.digest ?? "");
  if (vertex === undefined) return undefined;
  const { op, platform } = fromBinary(OpSchema, vertex.bytes);
  return op.case === "source" ? { ...op.value, platform } : undefined;
}

/** The same graph, what is told of its operations changed. */
export function restate(
  { output, graph }: State,
  change: (vertex: Vertex) => Pick<Vertex, "metadata" | "sources">,
): State {
  return {
    output,
    graph: new Map(
      [...graph].map(([digest, vertex]) => [digest, { ...vertex, ...change(vertex) }] as const),
    ),
  };
}
