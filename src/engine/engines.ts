import { exitStatuses, XbuildError } from "../errors.ts";
import { isInstalled } from "../system/is-installed.ts";
import { createBuildKitEngine } from "./buildkit/buildkit-engine.ts";
import { hasClient } from "./buildkit/choose-clients.ts";
import { createContainersEngine } from "./containers/containers-engine.ts";
import { createCommands } from "./containers/create-commands.ts";
import { buildah, podman, type Dialect } from "./containers/dialects.ts";
import type { Engine, EngineWorkspace, RunNote } from "./model.ts";
import { engineNames, isEngineName, type EngineName } from "./names.ts";
import { noteKeys } from "./notes.ts";

/** Every engine. */
const engines = {
  buildah: containersEngine(buildah),
  podman: containersEngine(podman),
  buildkit: { isInstalled: hasClient, create: createBuildKitEngine },
} satisfies Readonly<Record<EngineName, EngineKind>>;

interface EngineKind {
  readonly isInstalled: (path: string) => boolean;
  readonly create: (options: readonly string[]) => Engine;
}

/**
 * The engine that was asked for, else the first that is installed.
 * @param path the directories of programs, as PATH has them
 * @throws XbuildError `engine-not-found`
 */
export function findEngine(
  name: EngineName | undefined,
  options: readonly string[],
  path: string | undefined,
): Engine {
  const candidates = name === undefined ? engineNames.map((one) => engines[one]) : [engines[name]];
  const chosen = candidates.find((kind) => kind.isInstalled(path ?? ""));
  if (chosen !== undefined) return chosen.create(options);
  throw new XbuildError(
    "engine-not-found",
    name === undefined
      ? `neither ${engineNames.join(" nor ")} is installed`
      : `${name} is not installed`,
    { hint: hints[name ?? "buildah"], exitStatus: exitStatuses.usage },
  );
}

const hints: Readonly<Record<EngineName, string>> = {
  buildah: "install it (Debian: apt-get install buildah)",
  podman: "install it (Debian: apt-get install podman)",
  buildkit: "install a client of it: buildctl, or docker with buildx",
};

/** The engine of a command that asks none for anything: it need not be installed, and whatever it is asked fails. */
export function idleEngine(): Engine {
  return engines[engineNames[0]].create([]);
}

/**
 * Every engine that is installed, with these options; the one that is asked for alone.
 * Errors: `engine-not-found` for one that was asked for.
 */
export function findEngines(
  name: EngineName | undefined,
  options: readonly string[],
  path: string | undefined,
): readonly Engine[] {
  if (name !== undefined) return [findEngine(name, options, path)];
  const kinds = engineNames.map((one) => engines[one]);
  return kinds.filter((kind) => kind.isInstalled(path ?? "")).map((kind) => kind.create(options));
}

/**
 * Gives up what a killed run holds in the engine that it has used. Errors: `engine-not-found`, `store-lock`.
 * @param current the engine at hand; another is looked for where the run has used that
 */
export async function cleanUpRun(
  notes: readonly RunNote[],
  current: Engine | undefined,
  work: EngineWorkspace,
): Promise<void> {
  // A run that noted nothing has taken nothing.
  if (notes.length > 0) await findRunsEngine(notes, current).cleanUp(notes, work);
}

/** Older versions did not write down which engine it was. */
function findRunsEngine(notes: readonly RunNote[], current: Engine | undefined): Engine {
  const [name, ...options] = parseWords(
    notes.findLast(({ key }) => key === noteKeys.engine)?.value,
  );
  const isCurrent = (engine: Engine): boolean =>
    name === undefined ||
    (name === engine.name && options.join("\0") === engine.options.join("\0"));
  if (current !== undefined && isCurrent(current)) return current;
  const known = name !== undefined && isEngineName(name) ? name : undefined;
  return findEngine(known, options, process.env["PATH"]);
}

function parseWords(text: string | undefined): readonly string[] {
  const words: unknown = text === undefined ? [] : JSON.parse(text);
  return Array.isArray(words) ? words.filter((word) => typeof word === "string") : [];
}

function containersEngine(dialect: Dialect): EngineKind {
  return {
    isInstalled: (path) => isInstalled(dialect.name, path),
    create: (options) => createContainersEngine(createCommands(dialect, options)),
  };
}
