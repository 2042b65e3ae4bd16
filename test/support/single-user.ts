import {
  chmod,
  chown,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { endProcessesOf } from "./leftovers.ts";
import { installPackage } from "./packed.ts";

/** What a user without ranges in /etc/subuid and /etc/subgid has: one user ID, and with it one of a container. */
export interface SingleUser {
  /** What the user finds as `place`; `home`, `context` and `volume` in it are the user's own. */
  readonly directory: string;
  /** Runs a shell command as the user. */
  readonly run: (command: string, options?: SingleOptions) => Promise<SingleOutcome>;
  readonly remove: () => Promise<void>;
}

export interface SingleOptions {
  /** undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `false`: the user has no entry in /etc/passwd. */
  readonly entry?: boolean;
  /** Whether /var/tmp is another volume, as /tmp always is. */
  readonly temporary?: boolean;
}

export interface SingleOutcome {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the user finds the directory: beside the temporary directories, which are volumes. */
export const place = "/mnt";

/** Words before a program for which steps are run as newer versions of buildah do it under chroot isolation. */
export const asNewer = `python3 ${place}/answer-calls.py setgroups=0 --`;
/** Words before a program that can make no user namespace. */
export const withoutNamespaces = `python3 ${place}/answer-calls.py newuser=1 --`;

/** A user of this machine, whose home can be written. */
export async function createSingleUser(): Promise<SingleUser> {
  const name = `xbuild-one-${process.pid}`;
  const none = ["-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0"];
  await execa("useradd", [...none, "--create-home", "--shell", "/bin/sh", name]);
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) => Number((await execa("id", [flag, name])).stdout)),
  );
  const user = { uid: uid ?? 0, gid: gid ?? 0, home: `/home/${name}`, isPod: false };
  const made = await createUser(user);
  const remove = async (): Promise<void> => {
    await made.remove();
    await execa("userdel", ["--remove", name]);
  };
  return { ...made, remove };
}

/**
 * What OpenShift makes of a pod's user: a high user ID in group 0, of which /etc/passwd knows what the runtime has
 * written there; HOME is /; and nothing can be written but volumes.
 */
export function createPodUser(): Promise<SingleUser> {
  // A number of this process's own: others may run the same tests.
  const uid = 1_000_660_000 + (process.pid % 10_000);
  return createUser({ uid, gid: 0, home: "/", isPod: true });
}

interface User {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly isPod: boolean;
}

async function createUser(user: User): Promise<SingleUser> {
  const directory = await mkdtemp(join(tmpdir(), "xbuild-single-"));
  await chmod(directory, 0o755);
  await installPackage(directory);
  await copyFile(resolve("test/support/answer-calls.py"), join(directory, "answer-calls.py"));
  for (const name of ["tmp", "volume", "context"]) {
    await mkdir(join(directory, name));
    await chown(join(directory, name), user.uid, user.gid);
  }
  await cp("/bin/busybox", join(directory, "context", "busybox"), { dereference: true });
  await writeFile(
    join(directory, "storage.conf"),
    `[storage]\ndriver = "vfs"\nrunroot = "${place}/volume/run"\n` +
      `graphroot = "${place}/volume/graph"\nrootless_storage_path = "${place}/volume/graph"\n`,
  );
  await writeEntries(directory, user);
  return {
    directory,
    run: (command, options = {}) => run({ user, directory, command }, options),
    remove: async () => {
      await endProcessesOf(String(user.uid));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A /etc of its own, and its passwd with the user and without. A mount on /etc/passwd itself would end as soon as the
 * machine's is replaced, which other tests' `useradd` does: in
 * other mount namespaces what is mounted on a file goes with its name.
 */
async function writeEntries(directory: string, { uid, gid, home }: User): Promise<void> {
  await execa("cp", ["-a", "/etc", directory]);
  const others = (await readFile("/etc/passwd", "utf8"))
    .split("\n")
    .filter((line) => line !== "" && line.split(":")[2] !== String(uid));
  const entry = `${uid}:x:${uid}:${gid}:one:${home}:/sbin/nologin`;
  await writeFile(join(directory, "passwd"), `${[...others, entry].join("\n")}\n`);
  await writeFile(join(directory, "no-passwd"), `${others.join("\n")}\n`);
}

interface Run {
  readonly user: User;
  readonly directory: string;
  readonly command: string;
}

/** In a mount namespace that ends with it. */
async function run(
  { user, directory, command }: Run,
  { env = {}, entry = true, temporary = true }: SingleOptions,
): Promise<SingleOutcome> {
  const bind = (from: string, to: string): string => `mount --bind '${directory}${from}' ${to}`;
  const mounts = [
    bind("/etc", "/etc"),
    bind(entry ? "/passwd" : "/no-passwd", "/etc/passwd"),
    bind("", place),
    ...(temporary ? [bind("/tmp", "/var/tmp")] : []),
    ...(user.isPod
      ? [
          `mount -o remount,bind,ro ${place}`,
          bind("/volume", `${place}/volume`),
          bind("/context", `${place}/context`),
        ]
      : []),
    bind("/tmp", "/tmp"),
    ...(user.isPod ? ["mount -o remount,bind,ro /"] : []),
  ];
  const all = {
    HOME: user.home,
    PATH: `${place}/node_modules/.bin:${process.env["PATH"] ?? ""}`,
    BUILDAH_ISOLATION: "chroot",
    XBUILD_STORE: `${place}/volume/store`,
    CONTAINERS_STORAGE_CONF: `${place}/storage.conf`,
    ...env,
  };
  const words = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const script = `${mounts.join(" && ")} && exec setpriv "$@"`;
  const inside = [...ids, "env", "-i", `--chdir=${place}/volume`, ...words, "sh", "-c", command];
  return execa(
    "unshare",
    ["--mount", "--propagation=private", "sh", "-c", script, "sh", ...inside],
    { reject: false },
  );
}
