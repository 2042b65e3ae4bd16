import type { CallFiles, Invocation, NamedSource, SolveCall } from "./solve-call.ts";
import { quoteItem } from "../quote-item.ts";
import { buildctlFlags, buildxFlags } from "./fit-flags.ts";

/** A builder: how it is reached, and by which program. */
export interface BuildKitClient {
  /** As errors and progress name it: an address, or a builder's name. */
  readonly name: string;
  readonly program: "buildctl" | "buildx";
  readonly renderBuild: (call: SolveCall, files: CallFiles) => Invocation;
  /** What it says of the builder: its workers and their platforms, for `readPlatform`. */
  readonly describe: readonly string[];
  readonly version: readonly string[];
}

/** BuildKit's own client. @param options its options before the command, `--addr` among them */
export function createBuildctl(name: string, options: readonly string[]): BuildKitClient {
  const command = (...words: readonly string[]): readonly string[] => [
    "buildctl",
    ...options,
    ...words,
  ];
  return {
    name,
    program: "buildctl",
    describe: command("debug", "workers", "--format", "{{json .}}"),
    version: ["buildctl", "--version"],
    renderBuild: (call, { directory, name: file }) => ({
      env: {},
      command: command(
        "build",
        "--frontend=dockerfile.v0",
        "--progress=rawjson",
        // BuildKit has that one name for it, whoever sends it (`sendAnew`).
        `--local=context=${call.context}`,
        `--local=${fileName}=${directory}`,
        `--opt=dockerfilekey=${fileName}`,
        `--opt=filename=${file}`,
        ...(call.platform === undefined ? [] : [`--opt=platform=${call.platform}`]),
        ...(call.noCache ? ["--no-cache"] : []),
        ...[...call.buildArgs].map(([key, value]) => `--opt=build-arg:${key}=${value}`),
        ...[...call.sources].flatMap(renderLocal),
        ...buildctlFlags(call.flags),
        ...renderOutput(call),
      ),
    }),
  };
}

/** What the directory of a call's file is called: no other one has that name. */
const fileName = "xbuild-file";

function renderLocal([name, source]: readonly [string, NamedSource], at: number): string[] {
  if (source.kind === "directory") {
    const { path, sentAs } = source;
    const sent = sentAs?.name ?? `xbuild-source-${at}`;
    return [`--local=${sent}=${path}`, `--opt=context:${name}=local:${sent}`];
  }
  const own = `xbuild-layout-${at}`;
  if (source.kind === "layout") {
    const layout = `--oci-layout=${own}=${source.directory}`;
    return [layout, `--opt=context:${name}=oci-layout://${own}@${source.digest}`];
  }
  const value = source.kind === "registry" ? `docker-image://${source.name}` : source.value;
  return [`--opt=context:${name}=${value}`];
}

/** Docker's client. @param program the words that stand for it: `docker buildx`, or `buildx` */
export function createBuildx(
  program: readonly string[],
  builder: string | undefined,
): BuildKitClient {
  const chosen = builder === undefined ? [] : [`--builder=${builder}`];
  const command = (...words: readonly string[]): readonly string[] => [...program, ...words];
  return {
    name: builder ?? "the current builder of buildx",
    program: "buildx",
    describe: command("inspect", ...(builder === undefined ? [] : [builder])),
    version: command("version"),
    renderBuild: (call, { directory, name: file }) => ({
      env: Object.fromEntries([...call.buildArgs].filter(([key]) => call.hiddenArgs.has(key))),
      command: command(
        "build",
        ...chosen,
        "--progress=rawjson",
        "--provenance=false",
        `--file=${directory}/${file}`,
        ...(call.platform === undefined ? [] : [`--platform=${call.platform}`]),
        ...(call.noCache ? ["--no-cache"] : []),
        ...[...call.buildArgs].map(([key, value]) =>
          call.hiddenArgs.has(key) ? `--build-arg=${key}` : `--build-arg=${key}=${value}`,
        ),
        ...[...call.sources].map(renderContext),
        ...buildxFlags(call.flags),
        // Docker's own builder would load what it is not told of.
        ...renderOutput(call, ["--output=type=cacheonly"]),
        // It knows what it has sent by the path.
        call.sentAs?.alias ?? call.context,
      ),
    }),
  };
}

function renderContext([name, source]: readonly [string, NamedSource]): string {
  const value = {
    directory: () => ("path" in source ? (source.sentAs?.alias ?? source.path) : ""),
    layout: () =>
      "directory" in source ? `oci-layout://${source.directory}@${source.digest}` : "",
    registry: () => ("name" in source ? `docker-image://${source.name}` : ""),
    other: () => ("value" in source ? source.value : ""),
  }[source.kind]();
  return `--build-context=${name}=${value}`;
}

/** An epoch is none of an output's: it would be the time of every file that comes back. */
function renderOutput({ output }: SolveCall, none: readonly string[] = []): readonly string[] {
  if (output.kind === "none") return none;
  if (output.kind === "words") return [`--output=${output.words}`];
  const fields =
    output.kind === "tar"
      ? ["type=tar", "dest=-", "source-date-epoch="]
      : [...layoutFields, `dest=${output.directory}`];
  return [`--output=${fields.map(quoteItem).join(",")}`];
}

/** Layers as they are when their diff IDs are computed: what becomes of them is ours to choose. */
const layoutFields = [
  "type=oci",
  "tar=false",
  "compression=uncompressed",
  "force-compression=true",
  "source-date-epoch=",
];
