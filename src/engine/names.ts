/**
 * The engines that there are, the one that is taken first where none is named first. They stand apart from the table
 * that makes them, which has a row for each: the help names them, and loads no engine for that.
 */
export const engineNames = ["buildah", "podman", "buildkit"] as const;

export type EngineName = (typeof engineNames)[number];

/** Flags that only BuildKit gives a meaning: which builder, and how it is reached. */
export const builderFlags: readonly string[] = [
  "builder",
  "tlscacert",
  "tlscert",
  "tlskey",
  "tlsdir",
  "tlsservername",
];

export function isEngineName(name: string): name is EngineName {
  return engineNames.some((one) => one === name);
}
