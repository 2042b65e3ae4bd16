import { delimiter } from "node:path";
import type { BuildKit } from "../support/buildkit.ts";
import type { Project, ProjectFiles } from "../support/project.ts";
import type { RunOptions } from "../support/xbuild.ts";
import { baseImage, type Sandbox } from "../support/sandbox.ts";

/** A project that is built by BuildKit, and the base of the sandbox in a registry. */
export interface KitProject extends Project {
  /** Variables that choose the builder. */
  readonly env: Readonly<Record<string, string>>;
}

/** What chooses a builder for a run. */
export function chooseBuilder(
  sandbox: Sandbox,
  { clients }: Pick<BuildKit, "clients">,
  ...addresses: readonly string[]
): Readonly<Record<string, string>> {
  return {
    XBUILD_ENGINE: "buildkit",
    XBUILD_BUILDER: addresses.join(","),
    PATH: [clients, sandbox.env["PATH"] ?? ""].join(delimiter),
  };
}

/** Pushes the sandbox's base. @returns its name there */
export async function pushBase(sandbox: Sandbox, host: string): Promise<string> {
  const name = `${host}/base:latest`;
  const words = ["copy", "--quiet", "--dest-tls-verify=false"];
  await sandbox.exec("skopeo", ...words, `containers-storage:${baseImage}`, `docker://${name}`);
  return name;
}

/** The project, every run of which has these variables. */
export async function createKitProject(
  sandbox: Sandbox,
  files: ProjectFiles,
  env: Readonly<Record<string, string>>,
): Promise<KitProject> {
  const project = await sandbox.project(files);
  const withEnv = (options: RunOptions = {}): RunOptions => ({
    ...options,
    env: { ...env, ...options.env },
  });
  return {
    ...project,
    env,
    run: (args, options) => project.run(args, withEnv(options)),
    build: (args, options) => project.build(args, withEnv(options)),
    fail: (status, args, options) => project.fail(status, args, withEnv(options)),
    start: (args, options) => project.start(args, withEnv(options)),
  };
}
