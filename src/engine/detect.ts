import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { exitStatuses, XbuildError } from "../errors.ts";
import { createContainersEngine, type Dialect } from "./containers/containers-engine.ts";
import type { Engine } from "./model.ts";
import { interruptGroup, interruptSteps } from "./containers/processes.ts";

const buildah: Dialect = {
  name: "buildah",
  imageId: (name) => ["inspect", "--type=image", "--format={{.FromImageID}}", name],
  // All: one whose making was cut short is not yet buildah's.
  listContainers: ["containers", "--all", "--format={{.ContainerName}}"],
  removeContainers: ["rm"],
  interrupt: interruptGroup,
  pull: ["pull", "--quiet", "--policy=always"],
};

const podman: Dialect = {
  name: "podman",
  imageId: (name) => ["image", "inspect", "--format={{.Id}}", name],
  listContainers: ["ps", "--all", "--external", "--format={{.Names}}"],
  // A container of another program (buildah's part of it), which may be mounted.
  removeContainers: ["rm", "--force"],
  interrupt: interruptSteps,
  pull: ["pull", "--quiet"],
};

export type EngineName = Engine["name"];

/**
 * The engine that was asked for, else buildah where it is installed, else podman.
 * @throws XbuildError `engine-not-found`
 */
export function findEngine(
  name: EngineName | undefined,
  options: readonly string[],
  path: string | undefined,
): Engine {
  const candidates =
    name === undefined ? [buildah, podman] : name === "buildah" ? [buildah] : [podman];
  const found = candidates.find((dialect) => isInstalled(dialect.name, path ?? ""));
  if (found !== undefined) return createContainersEngine(found, options);
  throw new XbuildError(
    "engine-not-found",
    name === undefined ? "neither buildah nor podman is installed" : `${name} is not installed`,
    { hint: "install it (Debian: apt-get install buildah)", exitStatus: exitStatuses.usage },
  );
}

function isInstalled(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory || ".", program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
