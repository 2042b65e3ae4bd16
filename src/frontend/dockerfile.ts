import { clone, create } from "@bufbuild/protobuf";
import type { SourceText } from "../containerfile/containerfile.ts";
import { withDiffIds } from "./diff-ids.ts";
import type { Bridge } from "./gateway/connect.ts";
import { OpMetadataSchema, type SourceInfo, SourceInfoSchema } from "./gateway/messages/llb_pb.ts";
import { askFrontend, stateOf } from "./gateway/solve.ts";
import { restate, type State, type Vertex } from "./llb/state.ts";
import type { DockerfileFrontend } from "./dockerfile-frontend.ts";
import type { FrontendOptions } from "./options.ts";
import { fromFiles } from "./llb/operations.ts";

/** An image that is made of the file, or of a part of it. */
export interface EvaluatedImage {
  readonly state: State;
  readonly config: Uint8Array;
  /** Of the image that it stands on, where that is none of the file's. */
  readonly baseConfig: Uint8Array | undefined;
}

/** How ordinary text is evaluated, in whatever part of a build. */
export interface Evaluation {
  readonly bridge: Bridge;
  readonly options: FrontendOptions;
  readonly dockerfile: DockerfileFrontend;
  /** The file as the user wrote it: what lines are shown of. */
  readonly file: SourceInfo;
  /** What leaves files out of the context, beside the file. */
  readonly ignored: Uint8Array | undefined;
  /** The build context, where it is no directory of the client's. */
  readonly context: State | undefined;
  /** What the client has made before. */
  readonly inputs: ReadonlyMap<string, State>;
  /** `os/arch[/variant]` of the image; undefined for what BuildKit takes by itself. */
  readonly platform: string | undefined;
  /** A step as the user wrote it. */
  readonly show: (name: string) => string;
}

/** A text, and what names in it stand for that only we know. */
export interface DockerfileText {
  readonly text: SourceText;
  /** Images and directories, by the names of named contexts. */
  readonly named: ReadonlyMap<string, NamedState>;
  /** Whether it is the image that was asked for: then it gets the labels of the command line. */
  readonly isResult?: boolean;
}

export interface NamedState {
  readonly state: State;
  /** Of an image. */
  readonly config?: Uint8Array;
}

/** Options of a build that are no matter of a text of ours: what is asked of the result alone. */
const ownOptions =
  /^(?:target|platform|multi-platform|requestid|source|cmdline|frontend\.caps|context|contextkey|contextsubdir|dockerfilekey|attest:.*|label:.*|build-arg:(?:XBUILD_.*|BUILDKIT_SYNTAX|BUILDKIT_MULTI_PLATFORM))$/;

/**
 * Has BuildKit's own frontend make of a text what it makes of a file; nothing is run for that yet. What is shown of its
 * steps is what the user wrote. Errors: BuildKit's, with lines of the file.
 */
export async function evaluateText(
  evaluation: Evaluation,
  { text, named, isResult = false }: DockerfileText,
): Promise<EvaluatedImage> {
  const { bridge, options, dockerfile, context, file, show } = evaluation;
  const states = [...named].map(([name, { state }]) => [name, state] as const);
  const inputs = new Map([...evaluation.inputs, ...states]);
  inputs.set("dockerfile", writeFiles(evaluation, text));
  if (context !== undefined) inputs.set("context", context);
  const result = await askFrontend(bridge, {
    frontend: dockerfile.frontend,
    options: new Map([
      ...listOptions(options, evaluation.platform),
      ...dockerfile.options,
      // The file as a whole has been checked.
      ["build-arg:BUILDKIT_DOCKERFILE_CHECK", "skip=all"],
      ...listNamed(named),
      ...[...options.given].filter(([name]) => isResult && name.startsWith("label:")),
    ]),
    inputs,
  });
  const config = result.metadata["containerimage.config"];
  if (config === undefined) throw new RangeError("BuildKit's frontend gave no config");
  return {
    state: restate(stateOf(result), (one) => asWritten(one, { file, show })),
    config: withDiffIds(config),
    baseConfig: result.metadata["containerimage.base.config"],
  };
}

/** By the name that the file has, for lines of errors that are told before there is anything to restate. */
function writeFiles({ file, ignored }: Evaluation, text: SourceText): State {
  const files = [
    { path: `/${baseName(file.filename)}`, mode: 0o644, data: Buffer.from(text, "latin1") },
  ];
  if (ignored !== undefined)
    files.push({
      path: `/${baseName(file.filename)}.dockerignore`,
      mode: 0o644,
      data: Buffer.from(ignored),
    });
  return fromFiles(files, "[internal] write the steps");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function listOptions(
  { given }: FrontendOptions,
  platform: string | undefined,
): ReadonlyMap<string, string> {
  const rest = [...given].filter(([name]) => !ownOptions.test(name));
  return new Map([
    ...rest,
    ...(platform === undefined ? [] : [["platform", platform] as const]),
    ["filename", baseName(given.get("filename") ?? "Dockerfile")],
  ]);
}

function listNamed(
  named: DockerfileText["named"],
): readonly (readonly [name: string, value: string])[] {
  return [...named].flatMap(([name, { config }]) => {
    const value = [`context:${name}`, `input:${name}`] as const;
    if (config === undefined) return [value];
    const metadata = { "containerimage.config": Buffer.from(config).toString("base64") };
    return [value, [`input-metadata:${name}`, JSON.stringify(metadata)] as const];
  });
}

function asWritten(
  { metadata, sources }: Vertex,
  { file, show }: Pick<Evaluation, "file" | "show">,
): Pick<Vertex, "metadata" | "sources"> {
  const ofFile = sources.map((one) => ({
    ...one,
    info: create(SourceInfoSchema, { ...one.info, filename: file.filename, data: file.data }),
  }));
  const name = metadata?.description["llb.customname"];
  if (metadata === undefined || name === undefined) return { metadata, sources: ofFile };
  const changed = clone(OpMetadataSchema, metadata);
  changed.description["llb.customname"] = show(name);
  return { metadata: changed, sources: ofFile };
}
