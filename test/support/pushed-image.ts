import { join } from "node:path";
import { buildOnFreshMachine, listPackages, makePackages, type MachineBuild } from "./machines.ts";
import { configureAccess, type RegistryService } from "./registry-access.ts";
import { baseImage, type Sandbox } from "./sandbox.ts";

/** An image of packages in a registry, and what it was built of. */
export interface PushedImage {
  readonly context: string;
  /** The same context with some packages of another version. */
  readonly changed: string;
  /** `host:port/REPOSITORY:latest` */
  readonly name: string;
  readonly first: MachineBuild;
}

export interface PushedImageOptions {
  /** How many packages, each a layer: `p1` to `pN`. */
  readonly count?: number;
  /** Versions in the changed context. */
  readonly changes?: Readonly<Record<string, number>>;
  readonly repository?: string;
}

/** What tests of previous images begin with; the sandbox reaches the registry from then on. */
export async function pushFirstImage(
  sandbox: Sandbox,
  { proxy }: RegistryService,
  { count = 4, changes = { p2: 2 }, repository = "team/app" }: PushedImageOptions = {},
): Promise<PushedImage> {
  await configureAccess(sandbox.directory, proxy);
  const context = join(sandbox.directory, "packages");
  const changed = `${context}-changed`;
  const name = `${proxy.host}/${repository}:latest`;
  await makePackages(context, baseImage, listPackages(count));
  await makePackages(changed, baseImage, listPackages(count, changes));
  const first = await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"]);
  return { context, changed, name, first };
}
