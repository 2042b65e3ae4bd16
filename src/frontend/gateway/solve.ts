import { create } from "@bufbuild/protobuf";
import { readState, type State, writeState } from "../llb/state.ts";
import type { Bridge } from "./connect.ts";
import { type Result, ResultSchema, SolveRequestSchema } from "./messages/gateway_pb.ts";

/** The name by which BuildKit knows what came of a call, while the frontend runs. */
export type Reference = string;

/** What a call is asked of another frontend. */
export interface FrontendCall {
  readonly frontend: string;
  readonly options: ReadonlyMap<string, string>;
  readonly inputs: ReadonlyMap<string, State>;
}

/** What another frontend makes of it; nothing is run for that yet. */
export async function askFrontend(
  bridge: Bridge,
  { frontend, options, inputs }: FrontendCall,
): Promise<Result> {
  const { result } = await bridge.solve({
    frontend,
    frontendOpt: Object.fromEntries(options),
    frontendInputs: Object.fromEntries(
      [...inputs].map(([name, state]) => [name, writeState(state)] as const),
    ),
    allowResultReturn: true,
    allowResultArrayRef: true,
  });
  return result ?? create(ResultSchema, {});
}

/** A cache elsewhere, which BuildKit looks into. */
export interface CacheImport {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface SolveOptions {
  readonly caches?: readonly CacheImport[];
}

/** What a state comes to, as an answer to the client can have it. */
export async function solveResult(
  bridge: Bridge,
  state: State,
  { caches = [] }: SolveOptions = {},
): Promise<Result> {
  const request = create(SolveRequestSchema, {
    definition: writeState(state),
    cacheImports: caches.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
    allowResultReturn: true,
    allowResultArrayRef: true,
  });
  const { result } = await bridge.solve(request);
  return result ?? create(ResultSchema, {});
}

/** @returns "" for `scratch` */
export async function solveState(
  bridge: Bridge,
  state: State,
  options: SolveOptions = {},
): Promise<Reference> {
  const { result } = await solveResult(bridge, state, options);
  return result.case === "ref" ? result.value.id : "";
}

/** What a result with one file system comes to. */
export function stateOf({ result }: Result): State {
  return readState(result.case === "ref" ? result.value.def : undefined);
}

/** Bytes of a file that one answer has. */
const chunkSize = 4 * 1024 * 1024;

/** The whole of a file. Errors: BuildKit's, where there is none. */
export async function readFile(
  bridge: Bridge,
  ref: Reference,
  filePath: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let size = 0, last = chunkSize; last === chunkSize; size += last) {
    const range = { offset: BigInt(size), length: BigInt(chunkSize) };
    const { data } = await bridge.readFile({ ref, filePath, range });
    chunks.push(data);
    last = data.length;
  }
  return Buffer.concat(chunks);
}
