import { writeFile } from "node:fs/promises";
import { exitStatuses, XbuildError } from "../../errors.ts";

/** Arguments that must not stand on a command line, where every user of the machine can read them. */
export interface HiddenArguments {
  readonly values: ReadonlyMap<string, string>;
  /** Where they may be written, in a directory that nobody else gets into. */
  readonly file: string;
  /** Whether the engine reads `--build-arg-file` (buildah 1.30). */
  readonly readsFiles: () => Promise<boolean>;
}

/** What an engine's call gets in their place. */
export interface PassedArguments {
  readonly flags: readonly string[];
  /** For the engine's process alone. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Passes them by what the environment says already, else in a file, else in the environment of the engine's process:
 * there only under names that no program reads. Errors: `usage` for one that can be passed in no way.
 */
export async function passArguments(hidden: HiddenArguments): Promise<PassedArguments> {
  const given = [...hidden.values];
  const inherited = given.filter(([name, value]) => process.env[name] === value);
  const rest = given.filter(([name, value]) => process.env[name] !== value);
  if (rest.length === 0) return { flags: inherited.map(nameFlag), env: {} };
  const inFile = (await hidden.readsFiles()) ? rest.filter(fitsLine) : [];
  const inEnvironment = rest.filter((one) => !inFile.includes(one));
  for (const [name] of inEnvironment) assertUnread(name);
  if (inFile.length > 0) await writeArguments(hidden.file, inFile);
  return {
    flags: [
      ...(inFile.length === 0 ? [] : [`--build-arg-file=${hidden.file}`]),
      ...[...inherited, ...inEnvironment].map(nameFlag),
    ],
    env: Object.fromEntries(inEnvironment),
  };
}

type Argument = readonly [name: string, value: string];

/** Without a value the engine takes that of its environment. */
function nameFlag([name]: Argument): string {
  return `--build-arg=${name}`;
}

/** The file has a line for each, and those that begin with # are comments. */
function fitsLine([name, value]: Argument): boolean {
  return !/[\r\n]/.test(value) && !name.startsWith("#");
}

async function writeArguments(path: string, given: readonly Argument[]): Promise<void> {
  const lines = given.map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path, lines.join(""), { mode: 0o600 });
}

/**
 * Names, or their beginnings, that the engines, what they start (runtimes, helpers, git) and the libraries of all
 * these read. A value under one of them would change how the engine works (tried: TMPDIR, PATH, HOME, proxies).
 */
const readNames =
  /^(?:_|AWS_|BASH|BUILDAH_|CDPATH$|CGO|CNI_|COLUMNS$|CONMON|CONTAINER|CRUN|CURL|DBUS_|DEBUG|DOCKER_|ENV$|FUSE|GCONV|GETCONF|GIT|GNUPG|GO|GPG|HISTFILE|HOME$|HOST|HTTP|IFS$|INVOCATION_|JOURNAL_|KRB5|LANG|LC_|LD_|LINES$|LIST|LOC|LOGNAME$|MAIL|MALLOC_|MANPATH$|NETAVARK|NIX_|NLSPATH$|NO_|NODE_|NOTIFY_|OCI_|OLDPWD$|OPENSSL_|PATH$|PERL|PODMAN_|PS\d$|PWD$|PYTHON|REGISTR|RES_|RUNC|SELINUX|SHELL|SHLVL$|SSH_|SSL_|STORAGE_|SUDO_|SYSTEMD_|TEMP$|TERM|TMP|TZ|USER|XBUILD_|XDG_)|_PROXY$/i;

/** Plain names that nobody reads. One that the user has set himself stands for its new value in that process alone. */
export function mayStandInEnvironment(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !readNames.test(name);
}

function assertUnread(name: string): void {
  if (mayStandInEnvironment(name)) return;
  throw new XbuildError(
    "usage",
    `the build argument ${name} cannot be passed to this engine without every user of this machine seeing it`,
    {
      hint: `give it as --build-arg ${name}=VALUE if it is not secret, else as --secret; or use buildah 1.30 or newer`,
      exitStatus: exitStatuses.usage,
    },
  );
}
