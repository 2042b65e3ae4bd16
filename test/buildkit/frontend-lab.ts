import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect } from "vitest";
import type { ImageConfig, Manifest } from "../../src/oci/model.ts";
import { type BuildKit, useBuildKit } from "../support/buildkit.ts";
import { buildWithBuildx, type ClientOutcome, pushFrontend } from "../support/frontend.ts";
import { configureAccess, type RegistryService, useRegistry } from "../support/registry-access.ts";
import { type Sandbox, useSandbox } from "../support/sandbox.ts";
import { pushBase } from "./kit-project.ts";

export interface FrontendFile {
  /** Behind the line that names the frontend. */
  readonly text: string;
  /** Words of `docker buildx build`. */
  readonly words?: readonly string[];
  /** Others of the context. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface InspectedImage {
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** A builder, a registry, and the frontend's image in it. */
export interface FrontendLab {
  readonly sandbox: Sandbox;
  readonly proxy: RegistryService["proxy"];
  readonly buildKit: BuildKit;
  /** The names of images: what files are built on, and the frontend. */
  readonly base: string;
  readonly frontend: string;
  /** Writes a context. @returns its directory */
  readonly write: (file: FrontendFile) => Promise<string>;
  readonly build: (file: FrontendFile) => Promise<ClientOutcome>;
  /** The same, of which an image is pushed by this name. @returns its digest */
  readonly push: (name: string, file: FrontendFile) => Promise<string>;
  /** An image of the registry. */
  readonly find: (name: string) => Promise<InspectedImage>;
}

/** Started before the file's tests, and ended after them. */
export function useFrontendLab(): FrontendLab {
  const sandbox = useSandbox();
  const service = useRegistry({ tls: false });
  const buildKit = useBuildKit();
  const names = { base: "", frontend: "" };
  beforeAll(async () => {
    await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
    names.base = await pushBase(sandbox, service.proxy.host);
    names.frontend = await pushFrontend(sandbox, service.proxy.host);
  });
  const write: FrontendLab["write"] = async ({ text, files = {} }) => {
    const context = await mkdtemp(join(sandbox.directory, "context-"));
    for (const [name, data] of Object.entries(files)) await writeFile(join(context, name), data);
    await writeFile(join(context, "Dockerfile"), `# syntax=${names.frontend}\n${text}`);
    return context;
  };
  const build: FrontendLab["build"] = async (file) =>
    buildWithBuildx(buildKit, { context: await write(file), words: file.words ?? [] });
  const find: FrontendLab["find"] = (name) => inspectImage(`${service.proxy.host}/${name}`);
  const push: FrontendLab["push"] = async (name, file) => {
    const output = `--output=type=image,name=${service.proxy.host}/${name},push=true`;
    const made = await build({ ...file, words: [...(file.words ?? []), output] });
    expect(made.text).toContain("pushing manifest");
    expect(made.status).toBe(0);
    return (await find(name)).digest;
  };
  return {
    sandbox,
    get proxy() {
      return service.proxy;
    },
    buildKit,
    get base() {
      return names.base;
    },
    get frontend() {
      return names.frontend;
    },
    write,
    build,
    push,
    find,
  };
}

async function inspectImage(name: string): Promise<InspectedImage> {
  const ask = async (...flags: readonly string[]): Promise<string> =>
    (await execa("skopeo", ["inspect", "--tls-verify=false", ...flags, `docker://${name}`])).stdout;
  return {
    digest: (await ask("--format={{.Digest}}")).trim(),
    manifest: JSON.parse(await ask("--raw")),
    config: JSON.parse(await ask("--config", "--raw")),
  };
}
