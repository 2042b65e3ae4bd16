import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metadata, ProjectFiles } from "./project.ts";
import type { Sandbox } from "./sandbox.ts";
import { assertStatus, runXbuild, type Outcome } from "./xbuild.ts";
import { listLeftovers } from "./leftovers.ts";
import { validateLayout } from "./validate-layout.ts";
import { expect } from "vitest";

/** A build that went well on a machine of its own. */
export interface MachineBuild extends Outcome {
  readonly metadata: Metadata;
  /** Layer names in order, as `name status`. */
  readonly layers: readonly string[];
  readonly store: string;
}

export interface MachineOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A store that exists; else a fresh one. */
  readonly store?: string;
  readonly status?: number;
}

/** Flags that make a test wait less. */
const patience = ["--retry-delay=20ms"];

/** Builds a context as a machine whose store is empty does: `xbuild ARGS CONTEXT`. */
export async function buildOnFreshMachine(
  sandbox: Sandbox,
  context: string,
  args: readonly string[],
  options: MachineOptions = {},
): Promise<MachineBuild> {
  const directory = await mkdtemp(join(sandbox.directory, "machine-"));
  const store = options.store ?? join(directory, "store");
  const file = join(directory, "metadata.json");
  const words = [...patience, ...args, `--metadata-file=${file}`, context];
  const outcome = await runXbuild(sandbox, words, { env: { ...options.env, XBUILD_STORE: store } });
  assertStatus(outcome, options.status ?? 0);
  const found = await readFile(join(store, "index.json")).catch(() => undefined);
  const findings = found && (await validateLayout(store, { allowMissingLayers: true }));
  expect(findings ?? []).toEqual([]);
  expect(await listLeftovers(sandbox, store)).toEqual([]);
  const metadata: Metadata = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  const layers = (metadata.layers ?? []).map((layer) => `${layer.name} ${layer.status}`);
  return { ...outcome, metadata, layers, store };
}

/** A context whose image has a layer for each line of `packages`: `NAME VERSION`, of 64 kB each. */
export async function makePackages(
  directory: string,
  base: string,
  packages: Readonly<Record<string, number>>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files: ProjectFiles = {
    "Containerfile.x": `FROM ${base}
OUTPUT /layers
COPY . /src/
RUN while read -r name version; do \\
      if /layers/bin/layer has "$name-$version"; then /layers/bin/layer keep "$name-$version"; continue; fi; \\
      mkdir -p "/made/opt/$name"; \\
      seq 1 9000 | sed "s/^/$name $version /" | sha512sum > "/made/opt/$name/sum"; \\
      i=0; while [ $i -lt 500 ]; do i=$((i + 1)); echo "$name $version $i" | sha512sum; done > "/made/opt/$name/data"; \\
      /layers/bin/layer add "$name-$version" -C /made "opt/$name"; \\
    done < /src/packages; mkdir /layers/output/state; cp /src/packages /layers/output/state/
CMD ["/bin/true"]
`,
    packages: Object.entries(packages)
      .map(([name, version]) => `${name} ${version}\n`)
      .join(""),
  };
  for (const [name, text] of Object.entries(files)) {
    if (typeof text === "string") await writeFile(join(directory, name), text);
  }
}

/** `p1` to `pN`, all of version 1, and those that are given. */
export function listPackages(
  count: number,
  changed: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const all = Array.from({ length: count }, (_, index) => [`p${index + 1}`, 1]);
  return { ...Object.fromEntries(all), ...changed };
}
