import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll } from "vitest";
import { engineEnvironment } from "./engine.ts";
import { createProject, type Project, type ProjectFiles } from "./project.ts";

/** An engine's storage of one test file's own, and what the tests in it share. */
export interface Sandbox {
  readonly directory: string;
  /** For every program of the containers family: their storage, and the log of their calls. */
  readonly env: Readonly<Record<string, string>>;
  /** A build context with these files, a store and an image name of its own. */
  readonly project: (files?: ProjectFiles) => Promise<Project>;
  /** Runs a program with the sandbox's environment. Not logged. @throws where it fails */
  readonly exec: (program: string, ...args: readonly string[]) => Promise<string>;
}

/** The base image of the fast tests: a static busybox, `/etc/passwd` with a user `app` (1000), `/tmp`. */
export const baseImage = "localhost/base:latest";

const loggedPrograms = ["buildah", "podman", "skopeo"] as const;

/** The sandbox of a test file, made before its tests and removed after them. */
export function useSandbox(): Sandbox {
  let made: Sandbox | undefined;
  let count = 0;
  const get = (): Sandbox => {
    if (made === undefined) throw new Error("the sandbox exists only while tests run");
    return made;
  };
  beforeAll(async () => {
    made = await createSandbox(() => (count += 1));
  });
  afterAll(async () => {
    if (made !== undefined) await removeSandbox(made.directory);
  });
  return {
    get directory() {
      return get().directory;
    },
    get env() {
      return get().env;
    },
    project: (files) => get().project(files),
    exec: (program, ...args) => get().exec(program, ...args),
  };
}

async function createSandbox(nextNumber: () => number): Promise<Sandbox> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "xbuild-e2e-")));
  const env = { ...(await writeConfigs(directory)), ...(await writeWrappers(directory)) };
  const exec: Sandbox["exec"] = async (program, ...args) => {
    const result = await execa(program, args, { env: { ...env, PATH: pathWithout(env.PATH) } });
    return result.stdout;
  };
  const sandbox: Sandbox = {
    directory,
    env,
    exec,
    project: (files) => createProject(sandbox, nextNumber(), files ?? {}),
  };
  await createBaseImage(sandbox);
  return sandbox;
}

/** The wrappers stand first. */
function pathWithout(path: string): string {
  return path.slice(path.indexOf(delimiter) + 1);
}

async function writeConfigs(directory: string): Promise<Readonly<Record<string, string>>> {
  const storage = join(directory, "storage.conf");
  const containers = join(directory, "containers.conf");
  await mkdir(join(directory, "tmp"));
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${directory}/graph"\nrunroot = "${directory}/run"\n`,
  );
  // Limits that any machine allows: the default ones need a privilege that sandboxes withhold.
  await writeFile(
    containers,
    `[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n` +
      `[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\n`,
  );
  return {
    ...engineEnvironment,
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    BUILDAH_ISOLATION: process.env["BUILDAH_ISOLATION"] ?? "chroot",
    TMPDIR: join(directory, "tmp"),
    HOME: directory,
  };
}

/** Programs that write their command line into a log and then are the real ones. */
async function writeWrappers(directory: string): Promise<{ readonly PATH: string }> {
  const bin = join(directory, "bin");
  await mkdir(bin);
  for (const program of loggedPrograms) {
    const { stdout: real } = await execa("sh", ["-c", `command -v ${program}`]);
    const script = `#!/bin/sh\n[ -z "$XBUILD_TEST_CALLS" ] || echo "${program} $*" >>"$XBUILD_TEST_CALLS"\nexec ${real} "$@"\n`;
    await writeFile(join(bin, program), script);
    await chmod(join(bin, program), 0o755);
  }
  return { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
}

async function createBaseImage(sandbox: Sandbox): Promise<void> {
  const context = join(sandbox.directory, "base");
  await mkdir(join(context, "root", "bin"), { recursive: true });
  await mkdir(join(context, "root", "etc"));
  await mkdir(join(context, "root", "tmp"));
  await chmod(join(context, "root", "tmp"), 0o1777);
  await cp("/bin/busybox", join(context, "root", "bin", "busybox"));
  await writeFile(
    join(context, "root", "etc", "passwd"),
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n",
  );
  await writeFile(join(context, "root", "etc", "group"), "root:x:0:\napp:x:1000:\n");
  await writeFile(
    join(context, "Containerfile"),
    'FROM scratch\nCOPY root /\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n',
  );
  await sandbox.exec("buildah", "build", "--quiet", "--layers=false", "-t", baseImage, context);
}

async function removeSandbox(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/mounts", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
  for (const mount of mounts) await execa("umount", ["-l", mount], { reject: false });
  // A program that was killed may still be on its way out.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
