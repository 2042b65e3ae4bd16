import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseContainerfile } from "../../src/containerfile/parse.ts";
import { resolveStages } from "../../src/containerfile/stages.ts";
import type { BuildPorts, BuildRequest } from "../../src/pipeline/request.ts";
import type { Engine, EngineBuild } from "../../src/engine/model.ts";
import { XbuildError } from "../../src/errors.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import type { Digest } from "../../src/oci/model.ts";
import { parseImageName } from "../../src/oci/reference.ts";
import type { BuildPlan } from "../../src/plan/model.ts";
import { createPlan } from "../../src/plan/create-plan.ts";
import { writeJoinedHelper } from "./joined-helper.ts";

/** A call of the port, its arguments as one would say them. */
export type RecordedCall = readonly [keyof Engine, ...unknown[]];

export interface RecordingEngine extends Engine {
  readonly calls: readonly RecordedCall[];
  readonly builds: readonly EngineBuild[];
}

export interface RecordingOptions {
  /** Image IDs by name: what the engine's storage holds. */
  readonly images?: ReadonlyMap<string, Digest>;
  /** What the layering steps do with the mounted `output/`. */
  readonly writeOutput?: (output: string, build: EngineBuild) => Promise<void>;
  /** The config of what is built. */
  readonly config?: object;
  /** The purpose of a build that fails with this exit status. */
  readonly failing?: { readonly purpose: string; readonly exitStatus: number };
}

/** An engine that builds nothing: it writes down what it is asked and answers as it is told. */
export function createRecordingEngine(options: RecordingOptions = {}): RecordingEngine {
  const calls: RecordedCall[] = [];
  const builds: EngineBuild[] = [];
  const note = (...call: RecordedCall): void => void calls.push(call);
  return {
    calls,
    builds,
    name: "buildah",
    options: [],
    sharesFiles: true,
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
    askAhead: () => undefined,
    resolveImage: (name) => {
      note("resolveImage", name);
      return Promise.resolve(options.images?.get(name));
    },
    readConfig: (id) => {
      note("readConfig", id);
      return Promise.resolve(Buffer.from(JSON.stringify(options.config ?? plainConfig)));
    },
    pull: (name, flags) => {
      note("pull", name, flags);
      return Promise.resolve();
    },
    tag: (name, names) => {
      note("tag", name, names);
      return Promise.resolve();
    },
    removeImages: (names) => {
      note("removeImages", names);
      return Promise.resolve();
    },
    removeContainers: (prefix) => {
      note("removeContainers", prefix);
      return Promise.resolve();
    },
    stopOrphan: (process) => {
      note("stopOrphan", process);
      return Promise.resolve();
    },
    storageSpecifier: () => "",
  };
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

function assertSuccess(build: EngineBuild, { failing }: RecordingOptions): void {
  if (build.purpose !== failing?.purpose) return;
  throw new XbuildError("step-failed", "as it was told to", { exitStatus: failing.exitStatus });
}

/** One small loose layer. */
export async function writeLayer(output: string): Promise<void> {
  await mkdir(join(output, "layers", "file"), { recursive: true });
  await writeFile(join(output, "layers", "file", "file"), "content\n");
}

/** The request of `xbuild -t app --no-load CONTEXT`, and its plan. */
export function planBuild(
  text: string,
  directory: string,
  given: Partial<BuildRequest> = {},
): { readonly request: BuildRequest; readonly plan: BuildPlan } {
  const containerfile = parseContainerfile(Buffer.from(text), "Containerfile.x");
  const request: BuildRequest = {
    containerfile,
    context: join(directory, "context"),
    ignoreFile: undefined,
    names: [parseImageName("app")],
    target: undefined,
    hiddenArgs: new Set(),
    redacted: new Set(),
    buildArgs: new Map(),
    buildContexts: new Map(),
    platform: undefined,
    registryPlatform: { os: "linux", architecture: "amd64" },
    labels: new Map(),
    annotations: {},
    pull: "missing",
    noCache: false,
    explain: false,
    epoch: undefined,
    timestamp: false,
    format: "oci",
    destinations: [],
    load: false,
    pushes: [],
    cacheFrom: [],
    ignoreCacheErrors: false,
    trustCache: "named",
    input: undefined,
    access: { env: {}, retries: 0, timeout: 60_000 },
    quiet: false,
    maxLayers: 127,
    maxLayerSize: 1024 ** 3,
    allowDevices: false,
    flags: { step: [], access: [], cache: [], pull: [] },
    storeDirectory: join(directory, "store"),
    helperDirectory: writeJoinedHelper(),
    ...given,
  };
  const graph = resolveStages(containerfile, {
    ...(request.target === undefined ? {} : { target: request.target }),
    buildArgs: request.buildArgs,
    buildContexts: new Set(request.buildContexts.keys()),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  const plan = createPlan(containerfile, graph);
  if (plan === undefined) throw new Error("the target has no OUTPUT");
  return { request, plan };
}

/** Ports around an engine, with a reporter that keeps the titles of the steps. */
export function createPorts(engine: Engine): BuildPorts & { readonly steps: readonly string[] } {
  const steps: string[] = [];
  return {
    engine,
    steps,
    signal: new AbortController().signal,
    now: "2026-11-20T00:00:00Z",
    reporter: {
      log: { stdout: () => undefined, stderr: () => undefined },
      step: (title) => {
        steps.push(title);
        return () => undefined;
      },
      warn: () => undefined,
      progress: () => undefined,
      explain: () => undefined,
    },
  };
}
