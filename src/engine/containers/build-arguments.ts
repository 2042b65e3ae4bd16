import { documentsContext } from "./run-names.ts";
import { quoteItem } from "../quote-item.ts";
import type { BuildFiles, BuildCall, Mount } from "./commands.ts";

export interface FlagOptions {
  /** Asks for SELinux labels that every container may read. */
  readonly relabel: boolean;
  /** Stand in place of the hidden arguments; their names alone unless given. */
  readonly hidden?: readonly string[] | undefined;
}

/**
 * The flags of `buildah build` and `podman build` (their option names are the same) for one call.
 * The docker format is asked for whatever format our image has: SHELL and HEALTHCHECK exist only there.
 */
export function renderBuildFlags(
  build: BuildCall,
  files: BuildFiles,
  { relabel, hidden = nameHidden(build) }: FlagOptions,
): readonly string[] {
  return [
    ...renderMode(build),
    "--format=docker",
    "--identity-label=false",
    `--pull=${build.pull === "never" ? "never" : "false"}`,
    ...(build.noCache || (build.mode === "single" && build.keepsContainer === true)
      ? ["--no-cache"]
      : []),
    ...(build.quiet ? ["--quiet"] : []),
    ...(build.platform === undefined ? [] : [`--platform=${build.platform}`]),
    ...(build.ignoreFile === undefined ? [] : [`--ignorefile=${build.ignoreFile}`]),
    ...listShown(build),
    ...hidden,
    ...build.flags,
    ...(build.documents.length === 0
      ? []
      : [`--build-context=${documentsContext}=${files.documents}`]),
    ...build.mounts.map((mount) => `--volume=${renderMount(mount)}${relabel ? ",z" : ""}`),
    ...build.names.map((name) => `--tag=${name}`),
    `--iidfile=${files.iidfile}`,
    `--file=${quoteItem(files.containerfile)}`,
    build.context,
  ];
}

/** The engines keep the container of a step that fails where each step is committed, and not without. */
function renderMode({ mode, keepsContainer = false }: BuildCall): readonly string[] {
  const removes = keepsContainer ? "--force-rm=false" : "--force-rm";
  if (mode === "cached") return ["--layers", removes];
  const steps = keepsContainer ? ["--layers", removes] : ["--layers=false"];
  return [...steps, "--skip-unused-stages=false", "--jobs=1"];
}

function nameHidden({ hiddenArgs }: BuildCall): readonly string[] {
  return [...hiddenArgs].map((name) => `--build-arg=${name}`);
}

function listShown({ buildArgs, hiddenArgs }: BuildCall): readonly string[] {
  const shown = [...buildArgs].filter(([name]) => !hiddenArgs.has(name));
  return shown.map(([name, value]) => `--build-arg=${name}=${value}`);
}

function renderMount(mount: Mount): string {
  return `${mount.source}:${mount.target}:${mount.readOnly ? "ro" : "rw"}`;
}
