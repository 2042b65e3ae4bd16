import { Code, ConnectError } from "@connectrpc/connect";
import type { Bridge } from "./gateway/connect.ts";
import { askFrontend, readFile, type Reference, solveState, stateOf } from "./gateway/solve.ts";
import { copyOut, fromFiles, fromSource, unpack } from "./llb/operations.ts";
import { inputsOf, readSource, readState, type State } from "./llb/state.ts";
import { ownFrontend } from "./dockerfile-frontend.ts";
import type { FrontendOptions } from "./options.ts";

/** Where the file and the build context come from. */
export interface BuildSource {
  /** What has the file, and the ignore files beside it. */
  readonly files: State;
  /** From the root of that. */
  readonly fileName: string;
  /** What steps find of the context; undefined for a directory of the client's. */
  readonly context: State | undefined;
  /** What the client has made before, by the names that its options have for it: targets of bake. */
  readonly inputs: ReadonlyMap<string, State>;
}

/**
 * The same rules as that of BuildKit itself: a context that is a repository or a URL has the file, else the client sends
 * it. Errors: BuildKit's. BuildKit, `frontend/dockerui/context.go`
 */
export async function findSource(bridge: Bridge, options: FrontendOptions): Promise<BuildSource> {
  const { given } = options;
  const fileName = given.get("filename") ?? "Dockerfile";
  const context = given.get(given.get("contextkey") ?? "context") ?? "";
  const local = sendFiles(options, fileName);
  const { definitions } = await bridge.inputs({});
  const inputs = new Map(
    Object.entries(definitions).map(([name, one]) => [name, readState(one)] as const),
  );
  if (/^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(context)) {
    const remote = await openRemote(bridge, options, context);
    const inside = scopeTo(remote.state, given.get("contextsubdir"));
    const files = given.has("dockerfilekey") ? local : inside;
    return { files, fileName: remote.fileName ?? fileName, context: inside, inputs };
  }
  const dockerfile = inputs.get(given.get("dockerfilekey") ?? "dockerfile");
  const input = inputs.get("context");
  return {
    files: dockerfile ?? local,
    fileName,
    context: input && scopeTo(input, given.get("contextsubdir")),
    inputs,
  };
}

/** As BuildKit's own frontend asks for them, so that they are sent once for both. */
function sendFiles({ given, session }: FrontendOptions, fileName: string): State {
  const name = given.get("dockerfilekey") ?? "dockerfile";
  const names = [fileName, `${fileName}.dockerignore`];
  if (fileName === "Dockerfile") names.push(fileName.toLowerCase());
  const attrs = {
    "local.session": given.get(`local-sessionid:${name}`) ?? session,
    "local.followpaths": JSON.stringify(names),
    "local.sharedkeyhint": name,
    "local.differ": "none",
  };
  return fromSource(`local://${name}`, attrs, `[internal] load build definition from ${fileName}`);
}

interface RemoteContext {
  readonly state: State;
  /** Where the URL stands for the file itself. */
  readonly fileName?: string;
}

/** A named context of these words is read by the same rules: what it comes to is below what copies all of it. */
async function openRemote(
  bridge: Bridge,
  { given }: FrontendOptions,
  context: string,
): Promise<RemoteContext> {
  const text = Buffer.from(`FROM scratch\nCOPY --from=${remoteName} / /\n`);
  const result = await askFrontend(bridge, {
    ...ownFrontend,
    options: new Map([
      ...ownFrontend.options,
      ...[...given].filter(([name]) => /^build-arg:(?:BUILDKIT_|SOURCE_DATE_EPOCH)/.test(name)),
      ["filename", "Dockerfile"],
      [`context:${remoteName}`, context],
    ]),
    // Else it would ask the client for the ignore file of a context that there is not.
    inputs: new Map([
      ["dockerfile", writeFile("Dockerfile", text)],
      ["context", writeFile(".dockerignore", new Uint8Array())],
    ]),
  });
  const [state] = inputsOf(stateOf(result));
  if (state === undefined) throw new RangeError("a copy has a source");
  if (readSource(state)?.identifier.startsWith("git://") !== false) return { state };
  const fileName = "context";
  const ref = await solveState(bridge, state);
  const range = { offset: 0n, length: 1024n };
  const { data } = await bridge.readFile({ ref, filePath: fileName, range });
  if (!isArchive(data)) return { state, fileName };
  return { state: unpack(state, `/${fileName}`, "[internal] unpack the context") };
}

const remoteName = "xbuild-context";

/** A file system of one file in the root. */
function writeFile(name: string, data: Uint8Array): State {
  return fromFiles([{ path: `/${name}`, mode: 0o644, data }], `[internal] write ${name}`);
}

function scopeTo(state: State, directory: string | undefined): State {
  if (directory === undefined) return state;
  return copyOut(state, directory, `[internal] take ${directory}`);
}

/** What BuildKit unpacks. moby/go-archive, `compression` */
function isArchive(start: Uint8Array): boolean {
  const hex = Buffer.from(start.subarray(0, 6)).toString("hex");
  const isCompressed = ["1f8b", "425a68", "fd377a585a00", "28b52ffd"].some((one) =>
    hex.startsWith(one),
  );
  return isCompressed || Buffer.from(start.subarray(257, 262)).toString("latin1") === "ustar";
}

/** A file that was read. */
export interface SourceFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What it was read of. */
  readonly ref: Reference;
}

/** Errors: BuildKit's, where there is no such file. */
export async function readSourceFile(bridge: Bridge, source: BuildSource): Promise<SourceFile> {
  const ref = await solveState(bridge, source.files);
  const { fileName } = source;
  const names = fileName === "Dockerfile" ? [fileName, fileName.toLowerCase()] : [fileName];
  for (const name of names) {
    const bytes = await tryRead(bridge, ref, name);
    if (bytes !== undefined) return { name, bytes, ref };
  }
  return { name: fileName, bytes: await readFile(bridge, ref, fileName), ref };
}

/** undefined where there is no such file. */
export async function tryRead(
  bridge: Bridge,
  ref: Reference,
  name: string,
): Promise<Uint8Array | undefined> {
  try {
    return await readFile(bridge, ref, name);
  } catch (error) {
    if (!(error instanceof ConnectError) || !isMissing(error)) throw error;
    return undefined;
  }
}

/** BuildKit gives that no code of its own. */
function isMissing({ code, rawMessage }: ConnectError): boolean {
  return code === Code.NotFound || /no such file or directory|not found/.test(rawMessage);
}
