import { interruptGroup, interruptSteps, type RunningProgram } from "../programs/processes.ts";

/** Where buildah's and podman's command lines differ. */
export interface Dialect {
  readonly name: "buildah" | "podman";
  readonly imageId: (name: string) => readonly string[];
  /** A line for each name of an image: ID, digest of its manifest, name. */
  readonly listImages: readonly string[];
  /** Tells as JSON where the storage is, among other things. */
  readonly info: readonly string[];
  readonly listContainers: readonly string[];
  /** A line for each: name, ID of its image. */
  readonly listWorking: readonly string[];
  readonly removeContainers: readonly string[];
  /** How a build is stopped so that it leaves nothing behind. */
  readonly interrupt: (running: RunningProgram) => void;
  /** Asks the registry, whatever is here already. */
  readonly pull: readonly string[];
  /** Flags of `build` elsewhere that stand before the command here. */
  readonly ownFlags: readonly string[];
}

export const buildah: Dialect = {
  name: "buildah",
  imageId: (name) => ["inspect", "--type=image", "--format={{.FromImageID}}", name],
  listImages: ["images", "--all", "--no-trunc", "--format={{.ID}} {{.Digest}} {{.Name}}:{{.Tag}}"],
  info: ["info"],
  // All: one whose making was cut short is not yet buildah's.
  listContainers: ["containers", "--all", "--format={{.ContainerName}}"],
  listWorking: ["containers", "--all", "--format={{.ContainerName}} {{.ImageID}}"],
  removeContainers: ["rm"],
  interrupt: interruptGroup,
  pull: ["pull", "--quiet", "--policy=always"],
  ownFlags: [],
};

export const podman: Dialect = {
  name: "podman",
  imageId: (name) => ["image", "inspect", "--format={{.Id}}", name],
  listImages: [
    "images",
    "--all",
    "--no-trunc",
    "--format={{.ID}} {{.Digest}} {{.Repository}}:{{.Tag}}",
  ],
  info: ["info", "--format=json"],
  listContainers: ["ps", "--all", "--external", "--format={{.Names}}"],
  listWorking: ["ps", "--all", "--external", "--no-trunc", "--format={{.Names}} {{.ImageID}}"],
  // A container of another program (buildah's part of it), which may be mounted.
  removeContainers: ["rm", "--force"],
  interrupt: interruptSteps,
  pull: ["pull", "--quiet"],
  // podman build has no --runtime: it is an option of podman itself.
  ownFlags: ["runtime"],
};
