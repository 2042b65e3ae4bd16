import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseContainerfile } from "../../src/containerfile/parse.ts";
import { resolveStages } from "../../src/containerfile/stages.ts";
import type { BuildCall, ContainersCommands } from "../../src/engine/containers/commands.ts";
import { createContainersEngine } from "../../src/engine/containers/containers-engine.ts";
import type { Engine } from "../../src/engine/model.ts";
import { XbuildError } from "../../src/errors.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import type { Digest } from "../../src/oci/model.ts";
import { parseImageName } from "../../src/oci/reference.ts";
import type { BuildRequest } from "../../src/pipeline/request.ts";
import type { CallerWorkspace } from "../../src/pipeline/workspace.ts";
import { createStep } from "../../src/reporter.ts";
import type { BuildPlan } from "../../src/plan/model.ts";
import { createPlan } from "../../src/plan/create-plan.ts";
import { openStore } from "../../src/store/layout/open.ts";
import { writeJoinedHelper } from "./joined-helper.ts";

/** A command of the program, its arguments as one would say them. */
export type RecordedCall = readonly [keyof ContainersCommands, ...unknown[]];

export interface RecordingEngine {
  readonly engine: Engine;
  readonly calls: readonly RecordedCall[];
  readonly builds: readonly BuildCall[];
}

export interface RecordingOptions {
  /** Image IDs by name: what the engine's storage holds. */
  readonly images?: ReadonlyMap<string, Digest>;
  /** What the layering steps do with the mounted `output/`. */
  readonly writeOutput?: (output: string, build: BuildCall) => Promise<void>;
  /** The config of what is built. */
  readonly config?: object;
  /** The purpose of a build that fails with this exit status. */
  readonly failing?: { readonly purpose: string; readonly exitStatus: number };
}

/** An engine whose program builds nothing: it writes down what it is asked and answers as it is told. */
export function createRecordingEngine(options: RecordingOptions = {}): RecordingEngine {
  const calls: RecordedCall[] = [];
  const builds: BuildCall[] = [];
  const note = (...call: RecordedCall): void => void calls.push(call);
  const commands: ContainersCommands = {
    name: "buildah",
    loadShell: unused,
    options: [],
    ownFlags: new Set(),
    renderBuild: unused,
    passThrough: unused,
    runInNamespace: () => Promise.resolve(undefined),
    listBuildFlags: unused,
    version: unused,
    build: async (build) => {
      note("build", build.purpose);
      builds.push(build);
      assertSuccess(build, options);
      const output = build.mounts.find((mount) => !mount.readOnly)?.source;
      if (output !== undefined) await (options.writeOutput ?? writeLayer)(output, build);
      return digestBytes(Buffer.from(`${build.purpose}\n${build.text}`));
    },
    expectImage: () => undefined,
    findImage: (name) => {
      note("findImage", name);
      return Promise.resolve(options.images?.get(name));
    },
    readConfig: (id) => {
      note("readConfig", id);
      return Promise.resolve(options.config === undefined ? plainBytes : encode(options.config));
    },
    pull: (name, flags) => {
      note("pull", name, flags);
      return Promise.resolve(plainId);
    },
    listImages: () => Promise.resolve([]),
    tag: (name, names) => {
      note("tag", name, names);
      return Promise.resolve();
    },
    removeImages: (names) => {
      note("removeImages", names);
      return Promise.resolve();
    },
    readList: () => Promise.resolve(undefined),
    createList: unused,
    addToList: unused,
    removeFromList: unused,
    removeWithNames: unused,
    removeContainers: (prefix) => {
      note("removeContainers", prefix);
      return Promise.resolve();
    },
    stopOrphan: (process) => {
      note("stopOrphan", process);
      return Promise.resolve();
    },
    locateStorage: unused,
    rememberStorage: () => Promise.resolve(),
    storageSpecifier: () => "",
  };
  return { engine: createContainersEngine(commands), calls, builds };
}

function unused(): never {
  throw new Error("nothing here should ask for this");
}

const plainConfig = {
  architecture: "amd64",
  os: "linux",
  config: {},
  rootfs: { type: "layers", diff_ids: [] },
};

function encode(config: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(config));
}

const plainBytes = encode(plainConfig);

/** The ID of an image with the config that the engine gives to all: its digest. */
export const plainId = digestBytes(plainBytes);

function assertSuccess(build: BuildCall, { failing }: RecordingOptions): void {
  if (build.purpose !== failing?.purpose) return;
  throw new XbuildError("step-failed", "as it was told to", { exitStatus: failing.exitStatus });
}

/** One small loose layer. */
export async function writeLayer(output: string): Promise<void> {
  await mkdir(join(output, "layers", "file"), { recursive: true });
  await writeFile(join(output, "layers", "file", "file"), "content\n");
}

/** What differs from the request of `xbuild -t app --no-load CONTEXT`. */
export type GivenRequest = {
  readonly [Slice in keyof BuildRequest]?: Partial<BuildRequest[Slice]>;
};

/** The request of `xbuild -t app --no-load CONTEXT`, and its plan. */
export function planBuild(
  text: string,
  directory: string,
  given: GivenRequest = {},
): { readonly request: BuildRequest; readonly plan: BuildPlan } {
  const containerfile = parseContainerfile(Buffer.from(text), "Containerfile.x");
  const request = createRequest(directory, given);
  const { buildArgs, buildContexts } = request.steps;
  const graph = resolveStages(containerfile, {
    buildArgs,
    buildContexts: new Set(buildContexts.keys()),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  const plan = createPlan(containerfile, graph);
  if (plan === undefined) throw new Error("the target has no OUTPUT");
  return { request, plan };
}

export function createRequest(directory: string, given: GivenRequest): BuildRequest {
  return {
    steps: {
      context: join(directory, "context"),
      ignoreFile: undefined,
      buildContexts: new Map(),
      buildArgs: new Map(),
      hiddenArgs: new Set(),
      platform: undefined,
      epoch: undefined,
      timestamp: false,
      pull: "missing",
      noCache: false,
      quiet: false,
      onError: "fail",
      flags: { step: [], access: [], cache: [], pull: [] },
      cacheKey: "localhost/app:latest",
      ...given.steps,
    },
    layers: {
      input: undefined,
      maxLayers: 127,
      maxLayerSize: 1024 ** 3,
      allowDevices: false,
      helperDirectory: writeJoinedHelper(),
      ...given.layers,
    },
    image: { labels: new Map(), annotations: {}, ...given.image },
    reuse: {
      cacheFrom: [],
      source: ["/project/Containerfile", "/project"],
      names: given.delivery?.names ?? [parseImageName("app")],
      pushes: given.delivery?.pushes ?? [],
      ignoreErrors: false,
      trust: "named",
      platform: { os: "linux", architecture: "amd64" },
      redacted: new Set(),
      explain: false,
      ...given.reuse,
    },
    delivery: {
      names: [parseImageName("app")],
      load: false,
      pushes: [],
      destinations: [],
      format: "oci",
      ...given.delivery,
    },
  };
}

/** A workspace with an engine and a store in `directory`, whose reporter keeps the titles of the steps. */
export async function createWorkspace(
  engine: Engine,
  directory: string,
): Promise<CallerWorkspace & { readonly steps: readonly string[] }> {
  const steps: string[] = [];
  return {
    engine,
    steps,
    store: await openStore(join(directory, "store")),
    registries: { env: {}, retries: 0, timeout: 60_000 },
    signal: new AbortController().signal,
    now: "2026-11-20T00:00:00Z",
    reporter: {
      log: { stdout: () => undefined, stderr: () => undefined },
      step: (title, { isBrief = false } = {}) => {
        if (!isBrief) steps.push(title);
        return createStep(() => undefined);
      },
      warn: () => undefined,
      explain: () => undefined,
    },
  };
}
