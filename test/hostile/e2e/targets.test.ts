import { execFileSync } from "node:child_process";
import { chmod, lchown, lstat, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import type { Project } from "../../support/project.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { mainFile } from "../../support/xbuild.ts";

// Places that a user names for files: what is no plain file stays what it is, and is written to where it stands.

const sandbox = useSandbox();
const containerfile = `FROM ${baseImage}
OUTPUT /layers
RUN /layers/bin/layer add etc /etc
`;

let project: Project;
let places: string;
beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": containerfile });
  places = join(sandbox.directory, "places");
  await mkdir(places);
  await project.build(["--no-load"]);
});

/** A device of our own that takes what /dev/null (minor 3) or /dev/full (7) takes. */
function makeDevice(name: string, minor: number): string {
  const path = join(places, name);
  execFileSync("mknod", [path, "c", "1", String(minor)]);
  return path;
}

function makeFifo(name: string): string {
  const path = join(places, name);
  execFileSync("mkfifo", [path]);
  return path;
}

const flags = ["--iidfile", "--metadata-file"];

describe.each(flags)("%s", (flag) => {
  const name = flag.slice(2);

  test("a device stays one", async () => {
    const device = makeDevice(`${name}-null`, 3);
    const link = join(places, `${name}-link`);
    await symlink(device, link);
    for (const path of [device, link]) {
      expect(await runBuild([flag, path])).toMatchObject({ status: 0 });
    }
    expect((await lstat(device)).isCharacterDevice()).toBe(true);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  test("a FIFO gives its reader all of it, and stays one", async () => {
    const fifo = makeFifo(`${name}-fifo`);
    const reader = execa("cat", [fifo]);
    expect(await runBuild([flag, fifo])).toMatchObject({ status: 0 });
    expect((await reader).stdout).toContain(await readImageId());
    expect((await lstat(fifo)).isFIFO()).toBe(true);
  });

  test("nobody reads the FIFO: it is said, and Ctrl-C is heard", async () => {
    const started = project.start(["--no-load", flag, makeFifo(`${name}-unread`)]);
    await new Promise<void>((found) => {
      let said = "";
      started.stderr.on("data", (chunk) => {
        said += String(chunk);
        if (said.includes("output-unread")) found();
      });
    });
    started.signal("SIGINT");
    expect(await started.ended).toMatchObject({ status: 130 });
  });

  test("a link is followed to its file, which keeps its mode", async () => {
    const file = join(places, `${name}-file`);
    const link = join(places, `${name}-to-file`);
    await writeFile(file, "before");
    await chmod(file, 0o640);
    await symlink(file, link);
    expect(await runBuild([flag, link])).toMatchObject({ status: 0 });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(file, "utf8")).toContain(await readImageId());
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  test("/dev/stdout comes before what is said at the end", async () => {
    const { status, stdout } = await runBuild(["-q", flag, "/dev/stdout"]);
    expect(status).toBe(0);
    const id = await readImageId();
    expect(stdout.indexOf(id)).toBeLessThan(stdout.lastIndexOf(id.slice("sha256:".length)));
  });

  test("a device without room is an error, and no crash", async () => {
    const { status, stderr } = await runBuild([flag, makeDevice(`${name}-full`, 7)]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("error[output-destination]")]);
  });

  test("a disk without room is found before the tag moves", async () => {
    const mount = join(places, `${name}-small`);
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "none", mount]);
    try {
      const allowMounts = [mount];
      const args = ["--no-load", "--label", `of=${name}`, flag, join(mount, "file")];
      const { stderr } = await project.fail(1, args, { allowMounts });
      expect(stderr).toContain("error[output-destination]");
    } finally {
      execFileSync("umount", [mount]);
    }
  });

  test.each(Object.entries(refused))("%s is refused before anything is built", async (_, make) => {
    const path = await make();
    const args = ["--no-load", "--no-cache", flag, path];
    const { builds, stderr } = await project.fail(125, args);
    expect(builds).toEqual([]);
    expect(stderr).toContain(`error[output-destination]: ${flag} ${path}: `);
    expect(stderr).toContain("hint: ");
  });
});

let made = 0;

/** Places that nothing can be written to. */
const refused: Readonly<Record<string, () => Promise<string>>> = {
  "a directory": async () => places,
  "a file in no directory": async () => join(places, "none", "file"),
  "a file below a file": async () => {
    await writeFile(join(places, "plain"), "");
    return join(places, "plain", "file");
  },
  "a name that is too long": async () => join(places, "n".repeat(300)),
  "a link to itself": async () => {
    const path = join(places, `loop-${(made += 1)}`);
    await symlink(path, path);
    return path;
  },
  "a socket": async () => {
    const path = join(places, `socket-${(made += 1)}`);
    const server = createServer();
    await new Promise<void>((done) => server.listen(path, done));
    server.unref();
    return path;
  },
  "a descriptor that is not open": async () => "/dev/fd/99",
  "another user's link in a directory for everybody": async () => {
    const shared = join(places, `shared-${(made += 1)}`);
    await mkdir(shared);
    await chmod(shared, 0o1777);
    const path = join(shared, "link");
    await symlink("/etc/shadow", path);
    await lchown(path, 65_534, 65_534);
    return path;
  },
};

describe.each(["oci-archive", "docker-archive"])("-o %s:", (kind) => {
  test("a FIFO gives its reader the whole archive", async () => {
    const fifo = makeFifo(`${kind}-fifo`);
    const archive = join(places, `${kind}.tar`);
    const reader = execa("sh", ["-c", 'cat "$1" > "$2"', "sh", fifo, archive]);
    expect(await runBuild(["-o", `${kind}:${fifo}`])).toMatchObject({ status: 0 });
    await reader;
    expect((await lstat(fifo)).isFIFO()).toBe(true);
    const config = await sandbox.exec("skopeo", "inspect", "--config", `${kind}:${archive}`);
    expect(config).toContain("diff_ids");
  });

  test("a link is followed; a device stays one", async () => {
    const archive = join(places, `${kind}-behind.tar`);
    const link = join(places, `${kind}-link`);
    await symlink(archive, link);
    const device = makeDevice(`${kind}-null`, 3);
    for (const path of [link, device]) {
      expect(await runBuild(["-o", `${kind}:${path}`])).toMatchObject({ status: 0 });
    }
    expect((await stat(archive)).isFile()).toBe(true);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await lstat(device)).isCharacterDevice()).toBe(true);
  });

  test("a directory whose name has a colon", async () => {
    const cwd = join(places, `${kind}:with:colons`);
    await mkdir(cwd);
    const built = await runBuild(["-o", `${kind}:here.tar`], cwd);
    expect(built).toMatchObject({ status: 0 });
    expect((await stat(join(cwd, "here.tar"))).size).toBeGreaterThan(1000);
  });

  test("a directory, and a file in no directory, are refused before anything is built", async () => {
    for (const path of [places, join(places, "none", "a.tar")]) {
      const args = ["--no-load", "--no-cache", "-o", `${kind}:${path}`];
      const { builds, stderr } = await project.fail(125, args);
      expect([builds, stderr]).toEqual([[], expect.stringContaining("error[output-destination]")]);
    }
  });
});

test("standard output without room, and one that nobody reads any more", async () => {
  const device = makeDevice("full", 7);
  for (const [target, status] of [
    [`>"${device}"`, 1],
    ["| true", 0],
  ] as const) {
    const command = `set -o pipefail; "$1" "$2" images --format json ${target}`;
    const args = ["-c", command, "bash", process.execPath, mainFile];
    const env = { ...sandbox.env, XBUILD_STORE: project.store };
    const outcome = await execa("bash", args, { env, reject: false });
    expect([target, outcome.exitCode]).toEqual([target, status]);
    expect(outcome.stderr.includes("error[output-destination]")).toBe(status === 1);
  }
});

test("-o oci: where a file or a device is", async () => {
  const file = join(places, "a-file");
  await writeFile(file, "mine");
  for (const path of [file, makeDevice("oci-null", 3)]) {
    const args = ["--no-load", "--no-cache", "-o", `oci:${path}`];
    const { stderr } = await project.fail(125, args);
    expect(stderr).toContain("it is not a directory");
  }
  expect(await readFile(file, "utf8")).toBe("mine");
});

test("the store in a directory whose name has a colon is refused with words", async () => {
  const env = { XBUILD_STORE: join(places, "store:odd") };
  const { stderr } = await project.fail(125, ["--no-load"], { env });
  expect(stderr).toContain("colon");
});

function runBuild(args: readonly string[], cwd?: string) {
  const words = ["-t", project.name, "--no-load", ...args, project.context];
  return project.run(words, cwd === undefined ? {} : { cwd });
}

async function readImageId(): Promise<string> {
  const digest = await project.findDigest();
  const path = join(project.store, "blobs/sha256", digest?.slice("sha256:".length) ?? "");
  const manifest: { readonly config: { readonly digest: string } } = JSON.parse(
    await readFile(path, "utf8"),
  );
  return manifest.config.digest;
}
