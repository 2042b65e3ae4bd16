import type { BuildFiles, EngineBuild, Mount } from "./model.ts";

/**
 * The flags of `buildah build` and `podman build` (their option names are the same) for one call.
 * `relabel` asks for SELinux labels that every container may read.
 * The docker format is asked for whatever format our image has: SHELL and HEALTHCHECK exist only there.
 */
export function renderBuildFlags(
  build: EngineBuild,
  files: BuildFiles,
  relabel: boolean,
): readonly string[] {
  return [
    ...(build.mode === "cached"
      ? ["--layers", "--force-rm"]
      : ["--layers=false", "--skip-unused-stages=false", "--jobs=1"]),
    "--format=docker",
    "--identity-label=false",
    `--pull=${build.pull === "never" ? "never" : "false"}`,
    ...(build.noCache ? ["--no-cache"] : []),
    ...(build.quiet ? ["--quiet"] : []),
    ...(build.platform === undefined ? [] : [`--platform=${build.platform}`]),
    ...(build.ignoreFile === undefined ? [] : [`--ignorefile=${build.ignoreFile}`]),
    ...[...build.buildArgs].map(([name, value]) => `--build-arg=${name}=${value}`),
    ...build.flags,
    ...build.mounts.map((mount) => `--volume=${renderMount(mount, relabel)}`),
    ...build.names.map((name) => `--tag=${name}`),
    `--iidfile=${files.iidfile}`,
    `--file=${files.containerfile}`,
    build.context,
  ];
}

function renderMount(mount: Mount, relabel: boolean): string {
  return `${mount.source}:${mount.target}:${mount.readOnly ? "ro" : "rw"}${relabel ? ",z" : ""}`;
}
