import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { XbuildError } from "../../errors.ts";
import { type Digest, isJsonObject, type Json, tryParseJson } from "../../oci/oci.ts";
import { describeVersion, type EngineTrait } from "../versions.ts";
import { attachProgram } from "../programs/attach.ts";
import { renderBuildFlags } from "./build-arguments.ts";
import { describeFailure } from "./failures.ts";
import { fitCall, hideEpoch } from "./fit-call.ts";
import { parseHelpFlags } from "../programs/flags.ts";
import { passArguments, type PassedArguments } from "./hidden-arguments.ts";
import type {
  BuildCall,
  BuildFiles,
  CallContext,
  ContainersCommands,
  StoredImage,
} from "./commands.ts";
import type { Dialect } from "./dialects.ts";
import type { CallDocument } from "./lower-heredocs.ts";
import { identifyProcess, stopOrphan } from "../programs/processes.ts";
import { runApart, runContained } from "./run-contained.ts";
import { recallStorage, rememberStorage } from "./known-storage.ts";
import { findStoredName } from "./stored-names.ts";
import {
  isAsked,
  queryAhead,
  queryProgram,
  type RunResult,
  streamProgram,
  tryQuery,
} from "../programs/run.ts";
import type { StoragePlace } from "./storage-files.ts";
import { readImageConfig, readStoredList, renderStorage } from "./stored-documents.ts";
import { pastPassingFailures } from "./passing-failures.ts";
import { describeUnusable } from "../programs/unusable.ts";

/**
 * The commands of a program of the containers/ family.
 * @param options options of the program itself, before its command (`--root=DIR`).
 */
export function createCommands(dialect: Dialect, options: readonly string[]): ContainersCommands {
  const command = (...args: readonly string[]): readonly string[] => [
    dialect.name,
    ...options,
    ...args,
  ];
  const renderBuild = (
    build: BuildCall,
    files: BuildFiles,
    hidden?: readonly string[],
  ): readonly string[] =>
    command(
      "build",
      ...renderBuildFlags(build, files, { relabel: existsSync("/sys/fs/selinux/enforce"), hidden }),
    );
  const listBuildFlags: ContainersCommands["listBuildFlags"] = async () =>
    parseHelpFlags(await queryProgram(command("build", "--help")));
  const version = async (): Promise<string> =>
    (await queryProgram([dialect.name, "--version"])).trim();
  const has = async (trait: EngineTrait): Promise<boolean> =>
    describeVersion(dialect.name, await version()).has(trait);
  const readsFiles = (): Promise<boolean> => has("argumentFiles");
  const locateStorage = async (): Promise<StoragePlace> =>
    parsePlace(await queryProgram(command(...dialect.info)));
  const findHere = (name: string): Digest | undefined => {
    const place = recallStorage(command());
    return place && findStoredName(name, place);
  };
  // While it is on its way, what hangs on it waits.
  let remembering: Promise<void> | undefined;
  return {
    name: dialect.name,
    loadShell: async () => {
      const { createShellCommands } = await import("./shell-commands.ts");
      return createShellCommands({
        dialect,
        options,
        query: (...words) => queryProgram(command(...words)),
      });
    },
    options,
    ownFlags: new Set(dialect.ownFlags),
    renderBuild,
    build: async (given, context) => {
      const build = await fitCall(given, has);
      const values = new Map([...build.buildArgs].filter(([name]) => build.hiddenArgs.has(name)));
      const file = join(context.directory, "build-arguments");
      const { flags, env } = await passArguments({ values, file, readsFiles });
      const files = nameFiles(context);
      const run = async (call: BuildCall, log = context.log): Promise<RunResult> => {
        await writeFiles(call, files);
        const runIt = call.mode === "single" ? runContained : runApart;
        return runIt(renderBuild(call, files, flags), {
          ...context,
          log,
          env: { ...hideEpoch(call), ...env },
          interrupt: dialect.interrupt,
          started: (pid: number) => {
            context.onStarted?.();
            return noteProcess(pid, context);
          },
        });
      };
      const result = await pastPassingFailures(run, build, context);
      context.signal.throwIfAborted();
      if (result.status !== 0) throw describeFailure(build, dialect.name, result);
      return normaliseId(await readFile(files.iidfile, "utf8"));
    },
    passThrough: (args, options = {}) =>
      withHiddenArguments(options.hiddenArgs ?? new Map(), readsFiles, ({ flags, env }) =>
        attachProgram(command("build", ...flags, ...args), options.input, env),
      ),
    runInNamespace: async (words, input, env) => {
      if (hasAllIds()) return undefined;
      const status = await attachProgram(command("unshare", ...words), input, env);
      // Where the engine could not begin, nobody has told why.
      if (status !== 0) await tryQuery(command("unshare", "true"), ["engine-failed"]);
      return status;
    },
    expectImage: (name) => {
      if (findHere(name) === undefined) queryAhead(command(...dialect.imageId(name)));
    },
    findImage: async (name) => {
      const question = command(...dialect.imageId(name));
      return (isAsked(question) ? undefined : findHere(name)) ?? resolveImage(question);
    },
    readList: async (name) => readStoredList(options, name),
    readConfig: async (id) => {
      await remembering;
      return readImageConfig(id, { options, place: recallStorage(command()) });
    },
    pull: (name, flags, context) =>
      pullImage(command(...dialect.pull, ...flags, name), name, context),
    listImages: async () =>
      (await queryAgain(command(...dialect.listImages))).split("\n").flatMap(parseStored),
    tag: async (name, names) => {
      if (names.length > 0) await queryProgram(command("tag", stripAlgorithm(name), ...names));
    },
    removeImages: async (names) => {
      // The others are removed also where one is not there.
      if (names.length > 0) await tryQuery(command("rmi", ...names.map(stripAlgorithm)));
    },
    createList: async (name) => (await queryProgram(command("manifest", "create", name))).trim(),
    addToList: async (name, image) =>
      void (await queryProgram(command("manifest", "add", name, image))),
    removeFromList: async (name, manifest) =>
      void (await queryProgram(command("manifest", "remove", name, manifest))),
    removeWithNames: async (id) => void (await queryProgram(command("rmi", "--force", id))),
    removeContainers: async (prefix) => {
      for (let look = 1; look <= looks; look += 1) {
        const output = (await tryQuery(command(...dialect.listContainers))) ?? "";
        const containers = output.split("\n").filter((name) => name.startsWith(prefix));
        // What a stopped engine was at may take a moment to be seen, or to be let go.
        if (containers.length === 0 && look > 1) return;
        if (containers.length > 0)
          await tryQuery(command(...dialect.removeContainers, ...containers));
        await sleep(lookPause);
      }
    },
    stopOrphan,
    locateStorage,
    rememberStorage: () => (remembering = rememberStorage(command(), locateStorage)),
    storageSpecifier: () => renderStorage(options),
    listBuildFlags,
    version,
  };
}

/** buildah has capitals there, and podman has not. */
function parsePlace(text: string): StoragePlace {
  const info = tryParseJson(text);
  const store = isJsonObject(info) ? info["store"] : undefined;
  const fields = isJsonObject(store) ? Object.entries(store) : [];
  const find = (name: string): Json | undefined =>
    fields.find(([key]) => key.toLowerCase() === name)?.[1];
  const [root, driver] = [find("graphroot"), find("graphdrivername")];
  const host = isJsonObject(info) ? info["host"] : undefined;
  const isRemote = isJsonObject(host) && host["serviceIsRemote"] === true;
  if (typeof root === "string" && typeof driver === "string") return { root, driver, isRemote };
  throw new XbuildError("engine-failed", "the engine does not tell where its storage is");
}

/** The engines end a listing with an error where an image is removed beside it: then it is asked for again. */
async function queryAgain(command: readonly string[]): Promise<string> {
  for (let look = 1; look < looks; look += 1) {
    const answer = await tryQuery(command, ["engine-failed"]);
    if (answer !== undefined) return answer;
    await sleep(lookPause);
  }
  return queryProgram(command);
}

/** How often containers are looked for, and milliseconds between two looks. */
const [looks, lookPause] = [5, 100];

/** With a directory of its own for a file of arguments, where one is needed; it is gone afterwards. */
async function withHiddenArguments<T>(
  values: ReadonlyMap<string, string>,
  readsFiles: () => Promise<boolean>,
  action: (passed: PassedArguments) => Promise<T>,
): Promise<T> {
  if (values.size === 0) return action({ flags: [], env: {} });
  const directory = await mkdtemp(join(tmpdir(), "xbuild-"));
  try {
    const file = join(directory, "build-arguments");
    return await action(await passArguments({ values, file, readsFiles }));
  } finally {
    const { removeTree } = await import("../../system/remove-tree.ts");
    await removeTree(directory);
  }
}

/** As root, or in the engine's user namespace already (where we are root too). */
function hasAllIds(): boolean {
  return process.getuid?.() === 0;
}

function nameFiles({ directory }: CallContext): BuildFiles {
  return {
    containerfile: join(directory, "Containerfile"),
    iidfile: join(directory, "iid"),
    documents: join(directory, "documents"),
  };
}

async function writeFiles(build: BuildCall, files: BuildFiles): Promise<void> {
  await rm(files.iidfile, { force: true });
  await writeFile(files.containerfile, build.text, "latin1");
  for (const one of build.documents) await writeDocument(join(files.documents, one.path), one);
}

/** Readable for all, as what BuildKit makes of a heredoc; the directory above is ours alone. */
async function writeDocument(path: string, { content, mode }: CallDocument): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, "latin1");
  await chmod(path, mode);
}

async function noteProcess(pid: number, context: CallContext): Promise<void> {
  const identity = identifyProcess(pid);
  if (identity !== undefined) await context.note?.(identity);
}

/** An engine that does not work here has no images either: that is no answer. */
async function resolveImage(command: readonly string[]): Promise<Digest | undefined> {
  const output = await tryQuery(command, ["engine-failed"]);
  return output === undefined || output.trim() === "" ? undefined : normaliseId(output);
}

async function pullImage(
  command: readonly string[],
  name: string,
  context: CallContext,
): Promise<Digest> {
  // stdout is the image's ID, which is nobody's business but ours.
  const said: Uint8Array[] = [];
  const log = { stdout: (bytes: Uint8Array) => void said.push(bytes), stderr: context.log.stderr };
  const result = await streamProgram(command, { log, signal: context.signal });
  context.signal.throwIfAborted();
  const { status: exitStatus, tail } = result;
  const lines = Buffer.concat(said).toString("utf8").trim().split("\n");
  if (exitStatus === 0) return normaliseId(lines.at(-1) ?? "");
  const hint = "see the engine's message above; --pull=never uses only what is on this machine";
  throw (
    describeUnusable(command[0] ?? "", { text: tail, exitStatus }) ??
    new XbuildError("image-pull-failed", `cannot pull ${name}`, { hint, exitStatus })
  );
}

function parseStored(line: string): readonly StoredImage[] {
  const [id, digest = "", name = ""] = line.trim().split(/\s+/);
  if (id === undefined || id === "") return [];
  return [{ id: normaliseId(id), digest, name: name.includes("<none>") ? undefined : name }];
}

function normaliseId(text: string): Digest {
  return `sha256:${stripAlgorithm(text.trim())}`;
}

function stripAlgorithm(id: string): string {
  return id.replace(/^sha256:/, "");
}
