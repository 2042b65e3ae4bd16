import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { removeTree } from "../../system/remove-tree.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { attachProgram } from "../programs/attach.ts";
import { parseHelpFlags } from "../programs/flags.ts";
import { queryProgram } from "../programs/run.ts";
import type { EngineFlag, PassOptions } from "../model.ts";
import type { BuildKitClient } from "./client.ts";
import { completePath } from "./write-files.ts";
import { writeDockerConfig } from "./docker-config.ts";
import { assertInheritable, hideArguments } from "./hide-arguments.ts";
import { describeCredentials, readBuildFile, takeCredentials } from "./pass-credentials.ts";
import { makePassDirectory } from "./pass-directory.ts";
import { type Given, listWordFlags, readWords } from "./pass-words.ts";
import { emptyCall, type NamedSource, type SolveCall, type SolveOutput } from "./solve-call.ts";

/** Flags of the client's build: buildx has its own help, and for buildctl they are ours to render. */
export async function listBuildFlags(client: BuildKitClient): Promise<readonly EngineFlag[]> {
  if (client.program === "buildx") {
    const [program = "", ...words] = client.version.slice(0, -1);
    return parseHelpFlags(await queryProgram([program, ...words, "build", "--help"]));
  }
  return listWordFlags();
}

/** Hands a build without OUTPUT to the builder. @returns the client's exit status */
export async function passThrough(
  client: BuildKitClient,
  args: readonly string[],
  { input, hiddenArgs = new Map() }: PassOptions = {},
): Promise<number> {
  const split = takeCredentials(args);
  const directory = await makePassDirectory();
  try {
    const credentials = await describeCredentials(split, input);
    const config = await writeDockerConfig(credentials, directory, process.env);
    const sent = { words: split.words, hiddenArgs, input, directory, config };
    return await (client.program === "buildx" ? passBuildx : passBuildctl)(client, sent);
  } finally {
    await removeTree(directory);
  }
}

interface Sent extends Required<Pick<PassOptions, "hiddenArgs">> {
  readonly words: readonly string[];
  readonly input: PassOptions["input"];
  /** A private one. */
  readonly directory: string;
  /** Variables that say where credentials are. */
  readonly config: Readonly<Record<string, string>>;
}

function passBuildx(
  client: BuildKitClient,
  { words, hiddenArgs, input, config }: Sent,
): Promise<number> {
  assertInheritable(hiddenArgs, process.env);
  const { command } = client.renderBuild(emptyCall, { directory: "", name: "" });
  const first = command.slice(0, command.indexOf("--progress=rawjson"));
  const hidden = [...hiddenArgs.keys()].map((name) => `--build-arg=${name}`);
  const env = { ...Object.fromEntries(hiddenArgs), ...config };
  return attachProgram([...first, ...hidden, ...words], input, env);
}

async function passBuildctl(client: BuildKitClient, sent: Sent): Promise<number> {
  const given = readWords(sent.words);
  const name = "Containerfile";
  // A builder may ask for all of it.
  const directory = join(sent.directory, "file");
  await mkdir(directory, { mode: 0o700 });
  const call = hideArguments(await createCall(given, { ...sent, directory }));
  await writeFile(join(directory, name), call.text, "latin1");
  const { command, env } = client.renderBuild(call, { directory, name });
  const progress = `--progress=${given.last("progress") ?? (given.has("quiet") ? "quiet" : "auto")}`;
  const shown = command.map((word) => (word === "--progress=rawjson" ? progress : word));
  const target = given.last("target");
  const more = [
    ...(target === undefined ? [] : [`--opt=target=${target}`]),
    ...given.all("label").map((one) => `--opt=label:${one}`),
  ];
  return attachProgram([...shown, ...more], undefined, { ...env, ...sent.config });
}

async function createCall(
  given: Given,
  { hiddenArgs, input, directory }: Sent,
): Promise<SolveCall> {
  const operand = given.operands.at(-1) ?? ".";
  if (operand === "-" || isRemote(operand)) throw refuseContext(operand);
  const context = resolve(operand);
  const file = given.last("file") ?? join(context, "Containerfile");
  const text = await readBuildFile(file, input);
  const { shown, hidden } = readArguments(given.all("build-arg"));
  const ignore = findIgnore(file === "-" ? directory : resolve(file), context);
  if (ignore !== undefined)
    await writeFile(join(directory, "Containerfile.dockerignore"), await readFile(ignore));
  return {
    ...emptyCall,
    text: Buffer.from(text).toString("latin1"),
    context,
    sources: new Map(given.all("build-context").map(readContext)),
    buildArgs: new Map([...shown, ...hidden, ...hiddenArgs]),
    hiddenArgs: new Set([...hidden.keys(), ...hiddenArgs.keys()]),
    platform: given.all("platform").join(",") || undefined,
    noCache: given.has("no-cache"),
    flags: given.flags,
    output: chooseOutput(given),
  };
}

/** `https://...`, `git@host:...`: what is no path. */
function isRemote(context: string): boolean {
  return /^(?:[a-z+]+:\/\/|git@)/.test(context);
}

function refuseContext(context: string): XbuildError {
  return new XbuildError(
    "usage",
    `buildctl cannot take ${context} as the context of a file without OUTPUT`,
    {
      hint: "give a directory, or name a builder of buildx with --builder",
      exitStatus: exitStatuses.usage,
    },
  );
}

interface PassedArguments {
  readonly shown: ReadonlyMap<string, string>;
  readonly hidden: ReadonlyMap<string, string>;
}

/** The last of a name counts. One without a value has the environment's, which no command line shows; or is none. */
function readArguments(words: readonly string[]): PassedArguments {
  const shown = new Map<string, string>();
  const hidden = new Map<string, string>();
  for (const word of words) {
    const [name = ""] = word.split("=", 1);
    shown.delete(name);
    hidden.delete(name);
    const inherited = process.env[name];
    if (word !== name) shown.set(name, word.slice(name.length + 1));
    else if (inherited !== undefined) hidden.set(name, inherited);
  }
  return { shown, hidden };
}

function findIgnore(file: string, context: string): string | undefined {
  const own = `${join(dirname(file), basename(file))}.dockerignore`;
  return [own, join(context, ".containerignore"), join(context, ".dockerignore")].find((one) =>
    existsSync(one),
  );
}

function readContext(word: string): readonly [string, NamedSource] {
  const [name = ""] = word.split("=", 1);
  const value = word.slice(name.length + 1);
  return value.includes("://")
    ? [name, { kind: "other", value }]
    : [name, { kind: "directory", path: resolve(value) }];
}

function chooseOutput(given: Given): SolveOutput {
  const output = given.last("output");
  if (output !== undefined) return { kind: "words", words: completePath(output) };
  const names = given.all("tag");
  if (names.length === 0) return { kind: "none" };
  const name = names.length === 1 ? `name=${names[0]}` : `"name=${names.join(",")}"`;
  return { kind: "words", words: `type=image,${name}${given.has("push") ? ",push=true" : ""}` };
}
