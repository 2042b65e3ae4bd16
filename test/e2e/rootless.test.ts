import { execFile } from "node:child_process";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineEnvironment, testedEngines } from "../support/engine.ts";
import { endProcessesOf } from "../support/leftovers.ts";
import { installPackage } from "../support/packed.ts";
import type { Metadata } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { registryPassword, registryUser } from "../support/registry.ts";
import { validateLayout } from "../support/validate-layout.ts";

// An ordinary user, with what `npm pack` gives: the checkout is not readable for others.

const service = useRegistry({ auth: "basic" });
const run = promisify(execFile);
const user = `xbuild-e2e-${process.pid}`;
let directory = "";
/** Where the packed xbuild's command is. */
let programs = "";
let home = "";
let uid = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-rootless-"));
  await chmod(directory, 0o755);
  await run("useradd", ["--create-home", "--shell", "/bin/bash", user]);
  home = `/home/${user}`;
  programs = await installPackage(directory);
  await mkdir(join(directory, "run"));
  uid = (await run("id", ["-u", user])).stdout.trim();
  const gid = (await run("id", ["-g", user])).stdout.trim();
  await chown(join(directory, "run"), Number(uid), Number(gid));
  await makeContext();
  const base = `printf 'FROM scratch\\nCOPY busybox /bin/busybox\\nRUN ["/bin/busybox","--install","-s","/bin"]\\n'`;
  const made = await asUser(
    `${base} | buildah build -q -t localhost/base -f - ${directory}/context`,
  );
  expect(made).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await asUser("buildah rm --all; buildah rmi --all --force");
  await endProcessesOf(user);
  // What podman leaves may not have ended yet.
  await run("userdel", ["--force", "--remove", user]);
  await rm(directory, { recursive: true, force: true });
  // Where the engines put what a user without a login session needs while it runs.
  for (const name of ["containers-user-", "podman-run-", "storage-run-"]) {
    await rm(join("/tmp", name + uid), { recursive: true, force: true });
  }
});

async function makeContext(): Promise<void> {
  const context = join(directory, "context");
  await mkdir(context);
  await cp("/bin/busybox", join(context, "busybox"), { dereference: true });
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM localhost/base
ARG FAIL=0
OUTPUT --inherit-config /layers
RUN mkdir -p /layers/output/layers/1-tree/etc && cd /layers/output/layers/1-tree/etc \\
 && echo hush > shadow && chown 33:44 shadow && chmod 600 shadow \\
 && mkdir locked && echo in > locked/in && chown -R 1000:1000 locked && chmod 0 locked/in && chmod 700 locked
RUN mkdir -p /layers/output/layers/2-tools && tar -C / -cf /layers/output/layers/3-tar.tar bin && cp -a /bin /layers/output/layers/2-tools/
RUN exit $FAIL
CMD ["/bin/cat", "/etc/shadow"]
`,
  );
}

/** Runs a shell command as the user, xbuild being in PATH. */
function asUser(command: string) {
  const env = {
    HOME: home,
    PATH: `${programs}:${process.env["PATH"] ?? ""}`,
    XDG_RUNTIME_DIR: join(directory, "run"),
    BUILDAH_ISOLATION: "chroot",
    ...engineEnvironment,
  };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return execa("su", [user, "-c", `cd && exec env -i ${words.join(" ")} sh -c "$0"`, command], {
    reject: false,
  });
}

const build = (flags: string): string => `xbuild -t app ${flags} ${directory}/context`;

test("files of the container's other users come into the image as theirs", async () => {
  const built = await asUser(build("--metadata-file m.json"));
  expect(built).toMatchObject({ exitCode: 0 });
  const store = `${home}/.local/share/xbuild`;
  expect(await validateLayout(store)).toEqual([]);
  const metadata: Metadata = JSON.parse((await asUser("cat m.json")).stdout);
  const { layers } = metadata;
  expect(layers.map((layer) => layer.name)).toEqual(["tree", "tools", "tar"]);
  const blob = layers.find((layer) => layer.name === "tree")?.digest.slice(7) ?? "";
  const listing = await run("tar", ["--numeric-owner", "-tvzf", `${store}/blobs/sha256/${blob}`]);
  expect(listing.stdout.split("\n").map((line) => line.split(/\s+/))).toEqual(
    expect.arrayContaining([
      expect.arrayContaining(["-rw-------", "33/44", "etc/shadow"]),
      expect.arrayContaining(["drwx------", "1000/1000", "etc/locked/"]),
      expect.arrayContaining(["----------", "1000/1000", "etc/locked/in"]),
    ]),
  );
});

test("nothing changed: the same image, and nothing is left behind", async () => {
  const again = await asUser(build("--metadata-file m.json"));
  expect(again.stdout).toContain("Up to date");
  expect((await asUser("buildah containers -q")).stdout).toBe("");
  expect(await readdir(`${home}/.local/share/xbuild/tmp`)).toEqual([]);
});

test("a context on standard input is read once, in whichever namespace the build goes on", async () => {
  const command = `tar -C ${directory}/context -c . | xbuild -t sent --no-cache -`;
  const built = await asUser(command);
  expect(built).toMatchObject({ exitCode: 0 });
  expect(built.stderr.match(/==> Fetching the context/g)).toHaveLength(1);
  const again = await asUser(command.replace(" --no-cache", ""));
  expect(again.stdout).toContain("Up to date");
  expect(await readdir(`${home}/.local/share/xbuild/tmp`)).toEqual([]);
});

test.each([
  [
    "buildah",
    'c=$(buildah from --pull-never app) && buildah run "$c" -- cat /etc/shadow; buildah rm "$c" >/dev/null',
  ],
  // Asking for as little as any machine gives.
  ["podman", "podman --runtime=runc run --rm --network=host --ulimit=host app"],
])("the image runs, by %s", async (_, command) => {
  expect(await asUser(command)).toMatchObject({ exitCode: 0, stdout: "hush" });
});

test("a registry: pushed by one user, kept by reference from an empty store", async () => {
  const name = `${service.proxy.host}/app:1`;
  await configureAccess(home, service.proxy);
  await run("chown", ["-R", `${user}:`, join(home, ".config")]);
  const pushed = await asUser(`xbuild -t ${name} --push ${directory}/context`);
  expect(pushed).toMatchObject({ exitCode: 0 });
  service.proxy.reset();
  const words = `--cache-from ${name} -t ${service.proxy.host}/other:1 --push --build-arg FAIL= --no-cache`;
  const built = await asUser(`XBUILD_STORE=$HOME/fresh xbuild ${words} ${directory}/context`);
  expect(built.stdout).toContain("equal");
  expect(built.stdout).not.toMatch(/^new /m);
  expect(built).toMatchObject({ exitCode: 0 });
  expect(service.proxy.blobDownloads().filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await readdir(`${home}/fresh/tmp`)).toEqual([]);
});

test("bases of another platform", async () => {
  const name = `${service.proxy.host}/bases/two:1`;
  await configureAccess(home, service.proxy);
  await run("chown", ["-R", `${user}:`, join(home, ".config")]);
  const platforms = `linux/riscv64,linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
  const words = `--platform=${platforms} --manifest localhost/two -f - ${directory}/context`;
  const pushed = await asUser(
    `printf 'FROM scratch\nARG TARGETARCH\nENV arch=$TARGETARCH\nCOPY busybox /\n' | buildah build -q ${words} && ` +
      `buildah manifest push -q --all localhost/two docker://${name} && buildah manifest rm localhost/two`,
  );
  expect(pushed).toMatchObject({ exitCode: 0 });
  const text = `FROM ${name} AS other\nFROM --platform=$BUILDPLATFORM localhost/base\nCOPY --from=other /busybox /other\nOUTPUT /layers\nRUN /layers/bin/layer add other /other\n`;
  await writeFile(join(directory, "context", "Containerfile.two"), text);
  const build = `xbuild -f ${directory}/context/Containerfile.two --platform=linux/riscv64 -t two --no-load`;
  const built = await asUser(`${build} --metadata-file two.json ${directory}/context`);
  expect(built).toMatchObject({ exitCode: 0 });
  const metadata: Metadata = JSON.parse((await asUser("cat two.json")).stdout);
  expect(metadata.platform).toMatchObject({ os: "linux", architecture: "riscv64" });
  const names = await asUser("buildah images --format '{{.Name}}'");
  expect(names.stdout).toMatch(/^localhost\/xbuild-base$/m);
});

test.each(["buildah", "podman"])(
  "credentials of %s login, without a login session",
  async (program) => {
    const { host } = service.proxy;
    await configureAccess(home, service.proxy, { credentials: undefined });
    await run("chown", ["-R", `${user}:`, join(home, ".config")]);
    const words = `-t ${host}/session:1 --push --no-cache ${directory}/context`;
    const login = `echo ${registryPassword} | ${program} login -u ${registryUser} --password-stdin ${host}`;
    const built = await asUser(`unset XDG_RUNTIME_DIR; ${login} && xbuild ${words}`);
    expect(built).toMatchObject({ exitCode: 0 });
    // Where nothing is built, it is pushed from outside the engine's user namespace.
    const again = `-t ${host}/session-${program}:2 --push ${directory}/context`;
    const pushed = await asUser(
      `unset XDG_RUNTIME_DIR; xbuild ${again} && ${program} logout ${host}`,
    );
    expect(pushed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Up to date") });
  },
);

test("a failing step has its own status, and all that it left is gone", async () => {
  const failed = await asUser(build("--build-arg FAIL=7"));
  expect(failed.exitCode).toBe(7);
  expect(await readdir(`${home}/.local/share/xbuild/tmp`)).toEqual([]);
  expect((await asUser("buildah containers -q")).stdout).toBe("");
});

test("what builds left in the user's storage is counted and pruned", async () => {
  const usage = await asUser("xbuild cache du --format json");
  expect(usage).toMatchObject({ exitCode: 0, stderr: "" });
  const { engines } = JSON.parse(usage.stdout);
  expect(engines).toMatchObject([{ engines: testedEngines, used: 0 }]);
  expect(engines[0].named).toBeGreaterThan(0);
  const pruned = await asUser("xbuild cache prune --all --format json");
  expect(pruned).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(pruned.stdout).engines).toMatchObject([{ freed: engines[0].reclaimable }]);
  const names = await asUser("buildah images --format '{{.Name}}'");
  expect(names.stdout.split("\n").filter((name) => name.includes("xbuild-"))).toEqual([]);
  expect(names.stdout).toMatch(/^localhost\/app$/m);
});
