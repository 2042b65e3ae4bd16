import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// What the engine shows to a RUN at a VOLUME is a copy of the image's own files.

const sandbox = useSandbox();
const base = "localhost/volumes:latest";
let host: string;

beforeAll(async () => {
  const made = await sandbox.project({
    Containerfile: `FROM ${baseImage}
RUN mkdir -p /data/inner /data/user "/with blank" /real /own /late/deep /host/own /plain \\
 && for directory in /data /data/inner "/with blank" /real /own /late/deep /host/own; do echo "$directory" >"$directory/file"; done \\
 && ln -s real /link && chown 1000:1000 /real && chmod 700 /real && chmod 640 /data/file && chown 7:8 /data/file \\
 && ln /data/file /data/name
VOLUME ["/data", "/with blank", "/link", "/host/own"]
`,
  });
  await sandbox.exec("buildah", "build", "-q", "--layers", "-t", base, made.context);
  host = join(sandbox.directory, "host");
  await mkdir(join(host, "buildah-volumes/x"), { recursive: true });
  await writeFile(join(host, "buildah-volumes/x/secret"), "of the machine");
});

function containerfile(command: string): string {
  return `FROM ${base}
VOLUME /own
OUTPUT --inherit-config /layers
VOLUME /late
RUN echo during >/data/during && /layers/bin/layer ${command}
`;
}

const paths = "add all /data '/with blank' /real /own /late /host/own";
const commands = ["split auto /", "add all -C / .", paths] as const;

/** Mounts of the user: below a volume, around one, and from a place that is called like a volume's. */
function mounts(): readonly string[] {
  const source = join(host, "buildah-volumes/x");
  return ["/data/user", "/plain"].flatMap((path) => ["-v", `${source}:${path}`]);
}

async function listFiles({ image }: Built, path: string): Promise<readonly string[]> {
  return (await readdir(join(image.files, path))).sort();
}

describe.each(commands)("layer %s", (what) => {
  let project: Project;
  let first: Built;

  beforeAll(async () => {
    project = await sandbox.project({ "Containerfile.x": containerfile(what) });
    first = await project.build(mounts());
  });

  test("has the files of the base's volumes, and of the stage's", async () => {
    expect(await listFiles(first, "data")).toEqual(["during", "file", "inner", "name", "user"]);
    for (const path of [
      "data",
      "data/inner",
      "with blank",
      "real",
      "own",
      "late/deep",
      "host/own",
    ]) {
      expect(await readFile(join(first.image.files, path, "file"), "utf8")).toBe(`/${path}\n`);
    }
    expect(await lstat(join(first.image.files, "real"))).toMatchObject({
      uid: 1000,
      mode: 0o40700,
    });
    const file = await lstat(join(first.image.files, "data/file"));
    expect(file).toMatchObject({ uid: 7, gid: 8, mode: 0o100640, nlink: 2 });
  });

  test("has nothing of the user's mounts", async () => {
    expect(await listFiles(first, "data/user")).toEqual([]);
    const plain = await listFiles(first, "plain").catch(() => undefined);
    expect(plain).toEqual(what === paths ? undefined : []);
  });

  test("keeps every layer when it runs again", async () => {
    const again = await project.build(["--no-cache", ...mounts()]);
    expect(again.metadata.layers.every(({ status }) => status !== "new")).toBe(true);
    expect(again.metadata.digest).toBe(first.metadata.digest);
  });
});

test("a volume inside of a user's mount is the image's own", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile("split auto /") });
  await mkdir(join(host, "around/own"), { recursive: true });
  await writeFile(join(host, "around/secret"), "of the machine");
  const built = await project.build(["-v", `${join(host, "around")}:/host`]);
  expect(await listFiles(built, "host")).toEqual(["own"]);
  expect(await listFiles(built, "host/own")).toEqual(["file"]);
});

test("a user's mount on a volume stays out", async () => {
  // Which of the two buildah 1.28 mounts over the other is not always the same: what RUN sees counts.
  const text = containerfile("split auto /").replace("RUN echo", "RUN ls /own >/seen && echo");
  const project = await sandbox.project({ "Containerfile.x": text });
  const built = await project.build(["-v", `${join(host, "buildah-volumes/x")}:/own:O`]);
  const seen = await readFile(join(built.image.files, "seen"), "utf8");
  expect(await listFiles(built, "own")).toEqual(seen === "secret\n" ? [] : ["file"]);
});

test("a volume may hold the directory that OUTPUT names", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${base}
OUTPUT --inherit-config /data/layers
RUN /data/layers/bin/layer split auto /
`,
  });
  const built = await project.build();
  expect(await listFiles(built, "data")).toEqual(["file", "inner", "name", "user"]);
});
