import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  buildOnFreshMachine,
  listPackages,
  makePackages,
  type MachineBuild,
  type MachineOptions,
} from "../support/machines.ts";
import { pushFirstImage } from "../support/pushed-image.ts";
import { useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox, type Sandbox } from "../support/sandbox.ts";

// What --cache-from can name, and what a build finds of it.

const sandbox = useSandbox();
const service = useRegistry({ auth: "token" });

let context: string;
let changed: string;
let name: string;
let first: MachineBuild;

beforeAll(async () => {
  ({ context, changed, name, first } = await pushFirstImage(sandbox, service));
});

function buildChanged(
  args: readonly string[],
  options: MachineOptions = {},
): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, changed, ["-t", "app", "--no-load", ...args], options);
}

async function copy(destination: string, ...flags: readonly string[]): Promise<void> {
  await sandbox.exec("skopeo", "copy", "-q", ...flags, `docker://${name}`, destination);
}

describe("other places than a registry", () => {
  test.each([
    ["oci:", (path: string) => `oci:${path}:tag`],
    ["oci-archive:", (path: string) => `oci-archive:${path}.tar:tag`],
    ["dir:", (path: string) => `dir:${path}`],
    ["docker-archive:", (path: string) => `docker-archive:${path}.tar:app:tag`],
    ["containers-storage:", () => "containers-storage:localhost/cached:tag"],
  ] as const)("%s", async (transport, locate) => {
    const reference = locate(join(sandbox.directory, `cache-${transport.slice(0, -1)}`));
    await copy(reference);
    service.proxy.reset();
    const built = await buildChanged(["--cache-from", reference]);
    expect(built.layers).toEqual(["p1-1 kept", "p2-2 new", "p3-1 kept", "p4-1 kept"]);
    // Their bytes came along: the store has the whole image.
    expect(service.proxy.requests).toEqual([]);
    const archive = `oci-archive:${join(sandbox.directory, "whole.tar")}:x`;
    await buildChanged(["--cache-from", reference, "-o", archive], { store: built.store });
    const kept = built.metadata.layers.map((layer) => layer.diffId);
    const before = first.metadata.layers.map((layer) => layer.diffId);
    expect([kept[0], ...kept.slice(2)]).toEqual([before[0], ...before.slice(2)]);
  });

  test.each([
    "oci:/nowhere/at/all:x",
    "docker-archive:/nowhere.tar",
    "containers-storage:localhost/none:x",
  ])("%s, which is not there, is an empty history", async (reference) => {
    const built = await buildChanged(["--cache-from", reference]);
    expect(built.layers.every((layer) => layer.endsWith(" new"))).toBe(true);
  });

  test("an oci: image of the same inputs is the result, and nothing is built", async () => {
    const reference = `oci:${join(sandbox.directory, "same")}:tag`;
    await copy(reference, "--preserve-digests");
    const words = ["-t", "app", "--no-load", "--cache-from", reference];
    const built = await buildOnFreshMachine(sandbox, context, words);
    expect(built.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(built.builds).toEqual([]);
  });
});

test("a manifest list: the entry of the platform", async () => {
  const list = "localhost/list";
  const remote = `${service.proxy.host}/team/list:latest`;
  await sandbox.exec("buildah", "manifest", "create", list);
  await copy("containers-storage:localhost/entry:amd64");
  await sandbox.exec("buildah", "manifest", "add", list, `docker://${name}`);
  await sandbox.exec(
    "buildah",
    "manifest",
    "add",
    "--arch=arm64",
    list,
    `containers-storage:${baseImage}`,
  );
  await sandbox.exec("buildah", "manifest", "push", "-q", "--all", list, `docker://${remote}`);
  const built = await buildChanged(["--cache-from", remote]);
  expect(built.layers.filter((layer) => layer.endsWith(" kept"))).toHaveLength(3);
  const none = await buildChanged(["--cache-from", remote, "--platform=linux/s390x"], {
    status: 1,
  });
  expect(none.stderr).toContain("error[image-unsupported]");
  expect(none.stderr).toContain("linux/s390x");
});

describe("several images", () => {
  test("the first that is there is the history, the others add their names", async () => {
    const other = `${service.proxy.host}/team/other:latest`;
    await makePackages(`${context}-other`, baseImage, { q1: 1, p1: 9 });
    await buildOnFreshMachine(sandbox, `${context}-other`, ["-t", other, "--push"]);
    await makePackages(`${context}-both`, baseImage, { p1: 1, q1: 1, p2: 5 });
    const words = ["--cache-from", `${service.proxy.host}/team/none:x`, "--cache-from", name];
    const all = ["-t", `${service.proxy.host}/team/both:1`, "--push", ...words];
    const built = await buildOnFreshMachine(sandbox, `${context}-both`, [
      ...all,
      "--cache-from",
      other,
    ]);
    expect(built.layers).toEqual(["p1-1 kept", "q1-1 kept", "p2-5 new"]);
  });

  test("an image that xbuild did not make is a fine previous image", async () => {
    const plain = join(sandbox.directory, "plain");
    await mkdir(plain, { recursive: true });
    await writeFile(join(plain, "Containerfile"), `FROM ${baseImage}\nRUN echo one > /one\n`);
    const remote = `${service.proxy.host}/team/plain:latest`;
    await sandbox.exec("buildah", "build", "-q", "--layers", "-t", remote, plain);
    await sandbox.exec("buildah", "push", "-q", remote);
    await writeFile(
      join(plain, "Containerfile.x"),
      `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer list && cp /layers/history.json /layers/output/\n`,
    );
    const built = await buildOnFreshMachine(sandbox, plain, ["-t", remote, "--push"]);
    expect(built.layers.length).toBeGreaterThan(1);
    expect(built.layers.every((layer) => layer.endsWith(" kept"))).toBe(true);
  });
});

/** How many blobs there are, and which words stand for that in `names`: the step fails if these are others. */
function showInput(expected: string): string {
  return `FROM ${baseImage}
OUTPUT /layers
RUN ls /layers/input/blobs/sha256 | wc -l > /count; cut -f3 /layers/names | sort -u >> /count; cat /count; [ "$(tr '\\n' ' ' < /count)" = "${expected} " ]
RUN cp /layers/history.json /layers/output/
`;
}

describe("--input", () => {
  test.each([
    ["local", "0 0"],
    ["all", "4 1"],
    ["none", "0 0"],
  ])("%s", async (input, expected) => {
    const directory = join(sandbox.directory, "show");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "Containerfile.x"), showInput(expected));
    service.proxy.reset();
    const words = ["-t", "app", "--no-load", "--cache-from", name, `--input=${input}`];
    const built = await buildOnFreshMachine(sandbox, directory, words);
    expect(built.layers.every((layer) => layer.endsWith(" kept"))).toBe(true);
    const layers = service.proxy.blobDownloads().filter(({ status }) => status === 200).length;
    expect(layers).toBe(input === "all" ? 4 + 1 : 1);
  });
});

/** The environment of a machine whose engine has no image either. */
async function emptyStorage(one: Sandbox, directory: string): Promise<Record<string, string>> {
  const place = join(one.directory, directory);
  await mkdir(place, { recursive: true });
  const file = join(place, "storage.conf");
  const text = `[storage]\ndriver = "overlay"\ngraphroot = "${place}/graph"\nrunroot = "${place}/run"\n`;
  await writeFile(file, text);
  return { CONTAINERS_STORAGE_CONF: file };
}

const remoteBase = (): string => `${service.proxy.host}/base:1`;
const target = (): string => `${service.proxy.host}/team/cold:latest`;

describe("an engine that has nothing either", () => {
  beforeAll(async () => {
    await sandbox.exec("buildah", "push", "-q", baseImage, `docker://${remoteBase()}`);
    await makePackages(`${context}-cold`, remoteBase(), listPackages(3));
    await buildOnFreshMachine(sandbox, `${context}-cold`, ["-t", target(), "--push"]);
  });

  test("nothing changed: the base is asked for, and not pulled", async () => {
    const env = await emptyStorage(sandbox, "empty-1");
    service.proxy.reset();
    const built = await buildOnFreshMachine(
      sandbox,
      `${context}-cold`,
      ["-t", target(), "--push"],
      { env },
    );
    expect(built.metadata.upToDate).toBe(true);
    expect(built.calls.filter((call) => call.includes(" pull "))).toEqual([]);
    // The config of the previous image, and that of the base: it may have triggers.
    expect(service.proxy.blobDownloads().filter(({ status }) => status === 200)).toHaveLength(2);
    expect(service.proxy.uploaded()).toBe(0);
  });

  test("one package changed: the base comes, and no other layer", async () => {
    const env = await emptyStorage(sandbox, "empty-2");
    await makePackages(`${context}-cold`, remoteBase(), listPackages(3, { p1: 2 }));
    service.proxy.reset();
    const built = await buildOnFreshMachine(
      sandbox,
      `${context}-cold`,
      ["-t", target(), "--push"],
      { env },
    );
    expect(built.layers).toEqual(["p1-2 new", "p2-1 kept", "p3-1 kept"]);
    const blobs = service.proxy.blobDownloads().filter(({ status }) => status === 200);
    expect(blobs.filter(({ path }) => path.startsWith("/v2/team/cold/"))).toHaveLength(1);
  });
});

const stamp = (one: MachineBuild): string | undefined =>
  /^made [0-9a-f-]+\./m.exec(one.stdout)?.[0];

describe("the environment's own cache", () => {
  test("--env-cache-to fills it, --env-cache-from uses it", async () => {
    const directory = join(sandbox.directory, "cached");
    await mkdir(directory, { recursive: true });
    await writeFile(
      join(directory, "Containerfile.x"),
      `FROM ${service.proxy.host}/base:1\nRUN cat /proc/sys/kernel/random/uuid > /made\nOUTPUT /layers\nRUN echo "made $(cat /made)." && /layers/bin/layer add made -C / made\n`,
    );
    const cache = `${service.proxy.host}/team/cache`;
    const words = ["-t", "app", "--no-load"];
    const made = await buildOnFreshMachine(
      sandbox,
      directory,
      [...words, `--env-cache-to=${cache}`],
      {
        env: await emptyStorage(sandbox, "env-1"),
      },
    );
    const used = await buildOnFreshMachine(
      sandbox,
      directory,
      [...words, `--env-cache-from=${cache}`],
      {
        env: await emptyStorage(sandbox, "env-2"),
      },
    );
    expect(used.stdout).toContain("Cache pulled from remote");
    expect(stamp(used)).toBe(stamp(made));
    expect(stamp(made)).toBeDefined();
  });
});
