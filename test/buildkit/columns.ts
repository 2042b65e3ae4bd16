import { delimiter } from "node:path";
import type { BuildKit } from "../support/buildkit.ts";
import type { ColumnName } from "./case.ts";

/** An engine, as a build is told of it. */
export interface Column {
  readonly name: ColumnName;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The first one's images are what the others' are compared with.
 * @param path where programs are looked for, but for those of BuildKit
 */
export function createColumns(buildKit: BuildKit, path: string): readonly Column[] {
  const { address, builder, clients, env } = buildKit;
  const engine = "--engine=buildkit";
  const withClients = { PATH: [clients, path].join(delimiter) };
  return [
    { name: "buildah", words: ["--engine=buildah"], env: {} },
    { name: "podman", words: ["--engine=podman"], env: {} },
    { name: "buildkit", words: [engine, `--builder=${address}`], env: withClients },
    { name: "buildx", words: [engine, `--builder=${builder}`], env: { ...withClients, ...env } },
  ];
}
