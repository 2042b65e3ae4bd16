import { appendFile, chown, copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Metadata } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import {
  asNewer,
  createPodUser,
  createSingleUser,
  place,
  withoutNamespaces,
  type SingleOptions,
  type SingleUser,
} from "../support/single-user.ts";
import { validateLayout } from "../support/validate-layout.ts";

// A user with one user ID: no ranges in /etc/subuid, the vfs driver, and chroot isolation (or a runtime).

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

const base = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
`;
const text = `FROM localhost/base
ARG FAIL=0
RUN mkdir /secret && echo hush > /secret/file && chmod 0 /secret/file && chmod 500 /secret
OUTPUT --inherit-config /layers
COPY file /file
RUN mkdir -p /layers/output/layers/1-secret /layers/output/layers/2-file \\
 && cp -a /secret /layers/output/layers/1-secret/ && cp /file /layers/output/layers/2-file/ \\
 && cp -a /bin /layers/output/layers/3-bin
RUN exit $FAIL
CMD ["/bin/cat", "/file"]
`;
const epoch = "1700000000";

/** A step's isolation: chroot as newer versions of buildah have it, and a runtime as any version does. */
const ways = [
  { isolation: "chroot", before: `${asNewer} `, flags: "" },
  {
    isolation: "rootless",
    before: "",
    flags: "--isolation=rootless --network=host --runtime=runc",
  },
] as const;

describe.each([
  { form: "a user of the machine", repository: "user", create: createSingleUser },
  { form: "a pod", repository: "pod", create: createPodUser },
])("$form", ({ repository, create }) => {
  let user: SingleUser;

  beforeAll(async () => {
    user = await create();
    await write({ "Containerfile.base": base, "Containerfile.x": text, file: "one\n" });
  });

  afterAll(() => user.remove());

  function write(files: Readonly<Record<string, string>>): Promise<void> {
    return writeOwned(user, files);
  }

  /** A command of the user, which must succeed. */
  async function run(command: string, options?: SingleOptions): Promise<string> {
    const { exitCode, stdout, stderr } = await user.run(command, options);
    if (exitCode !== 0) throw new Error(`${command}: ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** A build that must succeed, on a store of its own where `store` names one. */
  async function build(words: string, store = "store"): Promise<Metadata> {
    const env = { XBUILD_STORE: `${place}/volume/${store}` };
    await run(`${words} --metadata-file=m.json ${place}/context`, { env });
    expect(await readdir(join(user.directory, "volume", store, "tmp"))).toEqual([]);
    expect(await validate(store)).toEqual([]);
    expect(await run("buildah containers --all --quiet")).toBe("");
    return JSON.parse(await readFile(join(user.directory, "volume", "m.json"), "utf8"));
  }

  function validate(store: string): ReturnType<typeof validateLayout> {
    return validateLayout(join(user.directory, "volume", store), { allowMissingLayers: true });
  }

  describe.each(ways)("isolation $isolation", ({ isolation, before, flags }) => {
    const xbuild = `${before}xbuild ${flags} -t localhost/app`;

    test("the engine alone builds here", async () => {
      const words = `build -q ${flags} -t localhost/base -f ${place}/context/Containerfile.base`;
      expect(await run(`${before}buildah ${words} ${place}/context`)).toMatch(/^[0-9a-f]{64}$/);
    });

    test("a first build, nothing changed, one thing changed", async () => {
      await write({ file: "one\n" });
      const first = await build(xbuild, isolation);
      expect(statuses(first)).toEqual(["secret new", "file new", "bin new"]);
      expect(await run("buildah images -q --no-trunc localhost/app")).toBe(first.configDigest);
      const again = await build(xbuild, isolation);
      expect(again).toMatchObject({ upToDate: true, digest: first.digest });
      await run("buildah rmi localhost/app");
      await build(xbuild, isolation);
      expect(await run("buildah images -q --no-trunc localhost/app")).toBe(first.configDigest);
      await write({ file: "two\n" });
      const changed = await build(xbuild, isolation);
      expect(statuses(changed)).toEqual(["secret equal", "file new", "bin equal"]);
    });

    test("the layers are those that root makes", async () => {
      await write({ file: "one\n" });
      const made = await build(
        `SOURCE_DATE_EPOCH=${epoch} ${xbuild} --no-load`,
        `${isolation}-same`,
      );
      const project = await sandbox.project({ "Containerfile.x": text, file: "one\n" });
      await copyFile("/bin/busybox", join(project.context, "busybox"));
      const file = join(user.directory, "context", "Containerfile.base");
      const rooted = ["-f", file, "-t", "localhost/base", project.context];
      await sandbox.exec("buildah", "build", "--quiet", ...rooted);
      const { metadata } = await project.build(["--no-load"], {
        env: { SOURCE_DATE_EPOCH: epoch },
      });
      expect(made.layers.map((layer) => layer.diffId)).toEqual(
        metadata.layers.map((layer) => layer.diffId),
      );
    });

    test("a layout, an archive, and a step that fails", async () => {
      await build(`${xbuild} -o oci:layout-${isolation}:app`, isolation);
      expect(await validate(`layout-${isolation}`)).toEqual([]);
      await build(`${xbuild} -o oci-archive:${isolation}.tar:app`, isolation);
      await run(`skopeo inspect oci-archive:${isolation}.tar:app`);
      const failed = await user.run(`${xbuild} --build-arg=FAIL=7 ${place}/context`);
      expect([failed.exitCode, failed.stderr]).toEqual([7, expect.any(String)]);
      expect(await run("buildah containers --all --quiet")).toBe("");
    });
  });

  test("pushed, and kept by reference on a machine that has nothing", async () => {
    // Its own: an image of equal layers that is there already would stay, with the inputs of that.
    const app = `${service.proxy.host}/${repository}`;
    const { variables, flag } = await giveAccess(user);
    const login = `${variables} ${asNewer}`;
    const names = `${flag} --push`;
    await write({ file: "pushed\n" });
    await build(`${login} xbuild -t ${app}:1 ${names}`, "pushing");
    service.proxy.reset();
    const same = await build(`${login} xbuild -t ${app}:1 ${names}`, "empty-1");
    expect(same.upToDate).toBe(true);
    expect(service.proxy.uploaded(service.proxy.blobUploads())).toBe(0);
    await write({ file: "changed\n" });
    const words = `xbuild --cache-from ${app}:1 -t ${app}:2 ${names}`;
    const other = await build(`${login} ${words}`, "empty-2");
    expect(statuses(other)).toEqual(["secret equal", "file new", "bin equal"]);
  });
});

describe("where the engine does not work, the error says why", () => {
  let user: SingleUser;

  beforeAll(async () => {
    user = await createPodUser();
    const files = { "Containerfile.base": base, "Containerfile.x": text, file: "one\n" };
    await writeOwned(user, files);
    const words = `build -q -t localhost/base -f ${place}/context/Containerfile.base`;
    expect(await user.run(`${asNewer} buildah ${words} ${place}/context`)).toMatchObject({
      exitCode: 0,
    });
  });

  afterAll(() => user.remove());

  const home = { env: { HOME: "/", CONTAINERS_STORAGE_CONF: undefined, STORAGE_DRIVER: "vfs" } };

  test.each<readonly [string, string, string, SingleOptions]>([
    ["chroot isolation may not set groups", "", "one user ID alone", {}],
    ["no user namespace", withoutNamespaces, "buildah may not make a user namespace", {}],
    ["no entry in /etc/passwd", asNewer, "has no entry in /etc/passwd", { entry: false }],
    ["a home that cannot be written", asNewer, "buildah cannot write /.", home],
    ["/var/tmp cannot be written", asNewer, "buildah cannot write /var/tmp", { temporary: false }],
  ])("%s", async (_, before, said, options) => {
    const failed = await user.run(`${before} xbuild --no-load -t app ${place}/context`, {
      ...options,
      env: { TMPDIR: "/tmp", ...options.env },
    });
    expect(failed.exitCode).toBeGreaterThan(0);
    expect(failed.stderr).toContain("error[engine-cannot-run]");
    expect(failed.stderr).toContain(said);
    expect(failed.stderr).toMatch(/hint: (?:give|allow|make) /);
  });
});

test("a base with files of other users needs ignore_chown_errors, as with the engine alone", async () => {
  const user = await createPodUser();
  try {
    const project = await sandbox.project({
      Containerfile: `FROM ${baseImage}\nRUN echo x > /owned && chown 33:44 /owned\n`,
    });
    const foreign = `${service.proxy.host}/foreign:1`;
    await configureAccess(sandbox.directory, service.proxy);
    await sandbox.exec("buildah", "build", "--quiet", "-t", foreign, project.context);
    await sandbox.exec("buildah", "push", "--quiet", foreign);
    const step = "RUN /layers/bin/layer add owned /owned";
    await writeOwned(user, { "Containerfile.x": `FROM ${foreign}\nOUTPUT /layers\n${step}\n` });
    const { variables, flag } = await giveAccess(user);
    const command = `${variables} ${asNewer} xbuild ${flag} --no-load -t localhost/app ${place}/context`;
    const failed = await user.run(command);
    expect(failed.exitCode).toBeGreaterThan(0);
    expect(failed.stderr).toContain("error[engine-cannot-run]");
    expect(failed.stderr).toContain('ignore_chown_errors = "true"');
    const options = '[storage.options.vfs]\nignore_chown_errors = "true"\n';
    await appendFile(join(user.directory, "storage.conf"), options);
    const built = await user.run(command);
    expect(built).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 layer") });
  } finally {
    await user.remove();
  }
});

/** What a command of the user needs to reach the registry. */
async function giveAccess({ directory }: SingleUser): Promise<{
  readonly variables: string;
  readonly flag: string;
}> {
  await configureAccess(join(directory, "access"), service.proxy);
  await execa("chmod", ["-R", "a+rX", join(directory, "access")]);
  const containers = `${place}/access/.config/containers`;
  return {
    variables: `REGISTRY_AUTH_FILE=${containers}/auth.json`,
    flag: `--cert-dir=${containers}/certs.d/${service.proxy.host}`,
  };
}

/** Files of the user's own in the context. */
async function writeOwned(
  { directory }: SingleUser,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const context = join(directory, "context");
  const { uid, gid } = await stat(context);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(context, name), content);
    await chown(join(context, name), uid, gid);
  }
}

function statuses({ layers }: Metadata): readonly string[] {
  return layers.map((layer) => `${layer.name} ${layer.status}`);
}
