import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { BuildKit } from "./buildkit.ts";
import type { Sandbox } from "./sandbox.ts";

/** Makes the frontend's image of what was built, and pushes it. @returns its name */
export async function pushFrontend(sandbox: Sandbox, host: string): Promise<string> {
  const name = `${host}/xbuild/frontend:test`;
  const words = ["scripts/frontend-image.mjs", "-q", "-t", name, "--push"];
  const env = { ...sandbox.env, XBUILD_STORE: join(sandbox.directory, "frontend-store") };
  await execa("node", words, { env });
  return name;
}

/** A call of a client of BuildKit. */
export interface FrontendBuild {
  readonly context: string;
  /** In the context. */
  readonly file?: string;
  /** The frontend; undefined where the file says it, or for BuildKit's own. */
  readonly frontend?: string | undefined;
  /** Words of `docker buildx build`. */
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The name of another builder than the one of the tests. */
  readonly builder?: string;
}

/** How a client ended, and what it has said. */
export interface ClientOutcome {
  readonly status: number | undefined;
  readonly text: string;
}

/** `docker buildx build`, without a word of provenance unless it is asked for. */
export async function buildWithBuildx(
  { clients, builder: ownBuilder, env: ofBuildKit }: BuildKit,
  { context, file = "Dockerfile", frontend, words = [], env, builder = ownBuilder }: FrontendBuild,
): Promise<ClientOutcome> {
  const given = [
    "build",
    `--builder=${builder}`,
    "--progress=plain",
    ...(words.some((one) => one.startsWith("--provenance")) ? [] : ["--provenance=false"]),
    ...(frontend === undefined ? [] : [`--build-arg=BUILDKIT_SYNTAX=${frontend}`]),
    `--file=${join(context, file)}`,
    ...words,
    context,
  ];
  const { exitCode, all } = await execa(join(clients, "docker-buildx"), given, {
    env: { ...ofBuildKit, ...env },
    reject: false,
    all: true,
    stdin: "ignore",
  });
  return { status: exitCode, text: all };
}

/** The same into an OCI layout. @returns its directory */
export async function buildLayout(
  sandbox: Sandbox,
  buildKit: BuildKit,
  build: FrontendBuild,
): Promise<string> {
  const directory = await mkdtemp(join(sandbox.directory, "layout-"));
  const words = [...(build.words ?? []), `--output=type=oci,tar=false,dest=${directory}`];
  const result = await buildWithBuildx(buildKit, { ...build, words });
  if (result.status !== 0) throw new Error(`docker buildx build: ${result.text}`);
  return directory;
}
