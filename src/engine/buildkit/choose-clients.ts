import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { isInstalled } from "../../system/is-installed.ts";
import { type BuildKitClient, createBuildctl, createBuildx } from "./client.ts";

/** Where a buildkitd listens that nobody has told otherwise. */
const defaultAddress = "unix:///run/buildkit/buildkitd.sock";

/** Options of the command line that say which builders there are; what is none of ours goes to buildctl. */
interface ClientOptions {
  readonly builders: readonly string[];
  readonly others: readonly string[];
}

/** `--builder=a,b` and the rest. */
function splitOptions(options: readonly string[]): ClientOptions {
  const prefix = "--builder=";
  const isBuilder = (one: string): boolean => one.startsWith(prefix);
  return {
    builders: options.filter(isBuilder).flatMap((one) => splitNames(one.slice(prefix.length))),
    others: options.filter((one) => !isBuilder(one)),
  };
}

function splitNames(text: string): readonly string[] {
  return text.split(",").filter((one) => one !== "");
}

/** Whether one of the clients is there. */
export function hasClient(path: string): boolean {
  return isInstalled("buildctl", path) || findBuildx(path) !== undefined;
}

/**
 * The builders that are meant: those of --builder, else XBUILD_BUILDER (an address is asked by buildctl, a name by buildx), else the address in
 * BUILDKIT_HOST, else the daemon on this machine that buildctl would ask, else the current builder of buildx.
 * Errors: `engine-not-found`.
 */
export function chooseClients(
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): readonly BuildKitClient[] {
  const { builders: named, others } = splitOptions(options);
  const builders = named.length > 0 ? named : splitNames(env["XBUILD_BUILDER"] ?? "");
  const path = env["PATH"] ?? "";
  const byAddress = (address: string): BuildKitClient => {
    if (!isInstalled("buildctl", path)) throw notInstalled("buildctl", address);
    return createBuildctl(address, [`--addr=${address}`, ...others]);
  };
  const byName = (name: string | undefined): BuildKitClient => {
    if (name !== undefined && /[:/]/.test(name)) throw noName(name);
    const program = findBuildx(path);
    if (program === undefined) throw notInstalled("docker buildx", name ?? "its current builder");
    return createBuildx(program, name);
  };
  if (builders.length > 0)
    return builders.map((one) => (one.includes("://") ? byAddress(one) : byName(one)));
  const host = env["BUILDKIT_HOST"];
  if (host !== undefined && host !== "") return [byAddress(host)];
  if (isInstalled("buildctl", path) && existsSync(defaultAddress.slice("unix://".length)))
    return [byAddress(defaultAddress)];
  if (findBuildx(path) !== undefined) return [byName(undefined)];
  throw new XbuildError("engine-not-found", "no builder of BuildKit is known", {
    hint: "name one: --builder tcp://HOST:1234, or the name that buildx has for it; or set BUILDKIT_HOST",
    exitStatus: exitStatuses.usage,
  });
}

/** Where docker looks for its plugins. Docker's CLI, `cli-plugins/manager`. */
const pluginDirectories = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"].map(
  (one) => `${one}/docker/cli-plugins`,
);

/** buildx is a plugin of docker, or stands alone. */
function findBuildx(path: string): readonly string[] | undefined {
  const own = join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "cli-plugins");
  const isPlugin = [own, ...pluginDirectories].some((one) =>
    existsSync(join(one, "docker-buildx")),
  );
  if (isPlugin && isInstalled("docker", path)) return ["docker", "buildx"];
  const alone = ["docker-buildx", "buildx"].find((one) => isInstalled(one, path));
  return alone === undefined ? undefined : [alone];
}

function noName(name: string): XbuildError {
  return new XbuildError("usage", `--builder ${name} is neither an address nor a builder's name`, {
    hint: `give its scheme: tcp://${name}, or unix:///PATH`,
    exitStatus: exitStatuses.usage,
  });
}

function notInstalled(program: string, builder: string): XbuildError {
  return new XbuildError("engine-not-found", `${program} is not installed, which asks ${builder}`, {
    hint: "install it, or name another builder with --builder",
    exitStatus: exitStatuses.usage,
  });
}
