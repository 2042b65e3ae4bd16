import { exitStatuses, XbuildError } from "../../errors.ts";
import type { ContainersCommands } from "./commands.ts";

/** podman-remote(1): what makes podman ask a service, which may be on another machine. */
const remoteOptions = /^(?:--remote|-r|--url|--connection|-c)(?:=(?<value>.*))?$/;
const remoteVariables = ["CONTAINER_HOST", "CONTAINER_CONNECTION"];

/**
 * Refuses a podman that is a client of a service: our directories are mounted into its steps, and its images read from its
 * storage, which only works where both are on this machine and the same user's. Errors: `engine-cannot-run`.
 */
export function assertLocal(
  { name, options }: Pick<ContainersCommands, "name" | "options">,
  env: NodeJS.ProcessEnv,
): void {
  if (name !== "podman") return;
  const option = options.find((one) => {
    const found = remoteOptions.exec(one);
    return found !== null && found.groups?.["value"] !== "false";
  });
  const cause = option ?? remoteVariables.find((one) => (env[one] ?? "") !== "");
  if (cause === undefined) return;
  const message = `podman asks a service here (${cause}): the layers directory of a build cannot be mounted there`;
  throw new XbuildError("engine-cannot-run", message, {
    hint: "run xbuild where the service runs, or have a BuildKit builder do the steps there: --engine buildkit --builder tcp://HOST:PORT",
    exitStatus: exitStatuses.usage,
  });
}
