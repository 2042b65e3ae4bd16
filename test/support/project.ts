import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import type { Comparison } from "../../src/pipeline/pipeline.ts";
import { checkImage, type CheckedImage } from "./check-image.ts";
import { listLeftovers } from "./leftovers.ts";
import {
  assertStatus,
  runXbuild,
  startXbuild,
  type Outcome,
  type RunOptions,
  type Started,
} from "./xbuild.ts";
import type { Sandbox } from "./sandbox.ts";
import { validateStore } from "./check-image.ts";

/** A file's text, or a file of another kind or mode. */
export type ProjectFile =
  | string
  | { readonly text: string; readonly mode?: number }
  | { readonly link: string };

export type ProjectFiles = Readonly<Record<string, ProjectFile>>;

/** `--metadata-file`'s content. */
export interface Metadata {
  readonly names: readonly string[];
  readonly digest: string;
  readonly configDigest: string;
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly upToDate: boolean;
  readonly comparison?: Comparison;
  readonly layers: readonly {
    readonly name: string;
    readonly digest: string;
    readonly diffId: string;
    readonly mediaType: string;
    readonly size: number;
    readonly status: "base" | "kept" | "equal" | "new";
    readonly verified: boolean;
  }[];
}

/** A build that went well, its image checked by our validator and by public tools. */
export interface Built extends Outcome {
  readonly metadata: Metadata;
  readonly image: CheckedImage;
  /** Layer names in order, as `name status`. */
  readonly layers: readonly string[];
}

export interface Project {
  readonly sandbox: Sandbox;
  readonly context: string;
  readonly store: string;
  /** The image's name in full. */
  readonly name: string;
  /** Writes files into the context; directories are made. */
  readonly write: (files: ProjectFiles) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Runs xbuild with these words and checks that the store is sound and nothing is left behind. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  /** `-t NAME ... CONTEXT`, which must succeed. Words after `--` may be among them. */
  readonly build: (args?: readonly string[], options?: RunOptions) => Promise<Built>;
  /** The same, which must fail with this status, show no stack trace and leave the tag as it is. */
  readonly fail: (
    status: number,
    args?: readonly string[],
    options?: RunOptions,
  ) => Promise<Outcome>;
  /** The same, started and not waited for. */
  readonly start: (args?: readonly string[], options?: RunOptions) => Started;
  /** The digest that the name has in the store, or undefined. */
  readonly findDigest: () => Promise<string | undefined>;
  /** The image ID that the name has in the engine's storage, or undefined. */
  readonly findLoaded: () => Promise<string | undefined>;
}

export async function createProject(
  sandbox: Sandbox,
  number: number,
  files: ProjectFiles,
): Promise<Project> {
  const directory = join(sandbox.directory, `project-${number}`);
  const context = join(directory, "context");
  const store = join(directory, "store");
  const name = `localhost/app-${number}:latest`;
  await mkdir(context, { recursive: true });
  const withStore = (options: RunOptions = {}): RunOptions => ({
    ...options,
    env: { XBUILD_STORE: store, ...options.env },
  });
  const project: Project = {
    sandbox,
    context,
    store,
    name,
    write: (more) => writeFiles(context, more),
    remove: (path) => rm(join(context, path), { recursive: true }),
    run: async (args, options) => {
      const outcome = await runXbuild(sandbox, args, withStore(options));
      await assertClean(project, outcome, options);
      return outcome;
    },
    build: (args = [], options = {}) => buildProject(project, directory, args, options),
    fail: async (status, args = [], options = {}) => {
      const before = [await project.findDigest(), await project.findLoaded()];
      const outcome = await project.run(commandLine(project, args), options);
      assertStatus(outcome, status);
      expect(outcome.stderr).not.toMatch(/^\s+at /m);
      expect([await project.findDigest(), await project.findLoaded()]).toEqual(before);
      return outcome;
    },
    start: (args = [], options = {}) =>
      startXbuild(sandbox, commandLine(project, args), withStore(options)),
    findDigest: () => findDigest(store, name),
    findLoaded: () => findLoaded(sandbox, name),
  };
  await project.write(files);
  return project;
}

function commandLine(project: Project, args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  const [ours, engines] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
  const tag = ours.includes("-t") ? [] : ["-t", project.name];
  return [...tag, ...ours, project.context, ...engines];
}

async function buildProject(
  project: Project,
  directory: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Built> {
  const metadataFile = join(directory, "metadata.json");
  const words = ["--metadata-file", metadataFile, ...commandLine(project, args)];
  const outcome = await project.run(words, options);
  assertStatus(outcome, 0);
  const metadata: Metadata = JSON.parse(await readFile(metadataFile, "utf8"));
  const image = await checkImage(project.sandbox, project.store, metadata);
  const layers = metadata.layers.map((layer) => `${layer.name} ${layer.status}`);
  return { ...outcome, metadata, image, layers };
}

/** What must hold after every run, whatever came of it. */
async function assertClean(
  { sandbox, store }: Project,
  outcome: Outcome,
  { allowMounts }: RunOptions = {},
): Promise<void> {
  expect(await validateStore(store)).toEqual([]);
  expect({ left: await listLeftovers(sandbox, store, allowMounts), outcome }).toEqual({
    left: [],
    outcome,
  });
}

async function writeFiles(context: string, files: ProjectFiles): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const target = join(context, path);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    if (typeof file !== "string" && "link" in file) {
      await symlink(file.link, target);
      continue;
    }
    await writeFile(target, typeof file === "string" ? file : file.text);
    if (typeof file !== "string" && file.mode !== undefined) await chmod(target, file.mode);
  }
}

const nameAnnotation = "org.opencontainers.image.ref.name";

async function findDigest(store: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(store, "index.json"), "utf8").catch(() => '{"manifests":[]}');
  const index: {
    manifests: readonly { digest: string; annotations?: Record<string, string> }[];
  } = JSON.parse(text);
  return index.manifests.find((entry) => entry.annotations?.[nameAnnotation] === name)?.digest;
}

async function findLoaded(sandbox: Sandbox, name: string): Promise<string | undefined> {
  const words = ["inspect", "--type=image", "--format={{.FromImageID}}", name];
  return sandbox.exec("buildah", ...words).catch(() => undefined);
}
