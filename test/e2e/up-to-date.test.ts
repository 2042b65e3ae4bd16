import { chmod, mkdir, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();
const base = "localhost/changing-base";

const containerfile = `FROM ${baseImage} AS unused
RUN true
FROM ${base} AS final
ARG USED=1
COPY . /src/
OUTPUT /layers
COPY --from=more extra /src/extra
RUN --mount=type=secret,id=key,required=false cat /run/secrets/key > /dev/null || true
RUN /layers/bin/layer add base /etc/base
RUN /layers/bin/layer add src -C / src
`;

const files = {
  "Containerfile.x": containerfile,
  ".containerignore": "ignored\nContainerfile.x\n",
  file: "one\n",
  link: { link: "file" },
  ignored: "one\n",
};

let project: Project;
let first: Built;
let more: string;
let volume: string;
let secret: string;

beforeAll(async () => {
  project = await sandbox.project(files);
  more = join(sandbox.directory, "more");
  volume = join(sandbox.directory, "volume");
  secret = join(sandbox.directory, "secret");
  await mkdir(more);
  await mkdir(volume);
  await writeFile(join(more, "extra"), "one\n");
  await writeFile(secret, "one\n");
  await replaceBase("one");
  first = await build();
});

function build(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Built> {
  const common = ["--build-context", `more=${more}`, "--secret", `id=key,src=${secret}`];
  return project.build([...common, "--no-load", ...args], { env });
}

async function replaceBase(content: string): Promise<void> {
  const context = join(sandbox.directory, "changing-base");
  await mkdir(context, { recursive: true });
  await writeFile(
    join(context, "Containerfile"),
    `FROM ${baseImage}\nRUN echo ${content} > /etc/base\n`,
  );
  await sandbox.exec("buildah", "build", "--quiet", "--layers", "-t", base, context);
}

function edit(from: string, to: string): () => Promise<void> {
  return () => project.write({ "Containerfile.x": containerfile.replace(from, to) });
}

interface Change {
  readonly name: string;
  readonly apply?: () => Promise<unknown>;
  /** Takes back what outlives `project.write(files)`. */
  readonly undo?: () => Promise<unknown>;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

const at = (path: string): string => join(project.context, path);

const harmless: readonly Change[] = [
  { name: "nothing" },
  { name: "a comment", apply: edit("OUTPUT", "# about OUTPUT\nOUTPUT") },
  { name: "an unused stage", apply: edit("RUN true", "RUN false") },
  { name: "an argument that nothing declares", args: ["--build-arg", "OTHER=2"] },
  { name: "an ignored file", apply: () => project.write({ ignored: "two\n" }) },
  { name: "a file's time", apply: () => utimes(at("file"), 1, 1) },
  { name: "a secret", apply: () => writeFile(secret, "two\n") },
  { name: "the number of jobs", args: ["--jobs", "2"] },
];

const telling: readonly Change[] = [
  { name: "a step before OUTPUT", apply: edit("COPY . /src/", "RUN true\nCOPY . /src/") },
  { name: "a step after OUTPUT", apply: edit("add src", "add source") },
  { name: "a metadata instruction", apply: edit("OUTPUT /layers", "OUTPUT /layers\nUSER app") },
  { name: "an argument that a stage declares", args: ["--build-arg", "USED=2"] },
  { name: "a file's content", apply: () => project.write({ file: "two\n" }) },
  { name: "a file's mode", apply: () => chmod(at("file"), 0o755) },
  {
    name: "a link's target",
    apply: async () => {
      await unlink(at("link"));
      await symlink("other", at("link"));
    },
  },
  {
    name: "one file more",
    apply: () => project.write({ "more/file": "" }),
    undo: () => project.remove("more"),
  },
  {
    name: "what is ignored",
    apply: () => project.write({ ".containerignore": "ignored\nContainerfile.x\nfile\n" }),
  },
  { name: "the ignore file", args: ["--ignorefile", "/dev/null"] },
  {
    name: "a named context's file",
    apply: () => writeFile(join(more, "extra"), "two\n"),
    undo: () => writeFile(join(more, "extra"), "one\n"),
  },
  { name: "a label", args: ["--label", "a=b"] },
  { name: "an annotation", args: ["--annotation", "org.example.a=b"] },
  { name: "the epoch", env: { SOURCE_DATE_EPOCH: "1" } },
  { name: "--timestamp", args: ["--timestamp", "2"] },
  { name: "a step flag", args: ["--add-host", "peer:192.0.2.1"] },
  { name: "a flag after --", args: ["--", "--add-host=peer:192.0.2.2"] },
  {
    name: "the base image",
    apply: () => replaceBase("two"),
    undo: () => replaceBase("one"),
  },
];

async function buildChanged(change: Change): Promise<Built> {
  await change.apply?.();
  try {
    return await build(change.args, change.env);
  } finally {
    await change.undo?.();
    await project.write(files);
  }
}

describe("is no reason to build", () => {
  test.each(harmless)("$name", async (change) => {
    const built = await buildChanged(change);
    expect(built.builds).toEqual([]);
    expect(built.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(built.layers).toEqual(["base kept", "src kept"]);
  });
});

describe("is a reason to build", () => {
  test.each(telling)("$name", async (change) => {
    const built = await buildChanged(change);
    expect(built.builds.length).toBeGreaterThan(0);
    expect(built.metadata.upToDate).toBe(false);
  });
});

test("what was built before is found again when a change is taken back", async () => {
  const built = await build();
  expect(built.builds).toEqual([]);
  expect(built.metadata.digest).toBe(first.metadata.digest);
});

test("a volume that the build may write is never up to date; a read-only one counts by its content", async () => {
  const writable = ["--volume", `${volume}:/volume`];
  await build(writable);
  expect((await build(writable)).metadata.upToDate).toBe(false);
  const readOnly = ["--volume", `${volume}:/volume:ro`];
  await build(readOnly);
  expect((await build(readOnly)).metadata.upToDate).toBe(true);
  await writeFile(join(volume, "file"), "new");
  expect((await build(readOnly)).metadata.upToDate).toBe(false);
});

test("another name for the same inputs is a second name for the same image", async () => {
  const other = "localhost/second-name:v1";
  const built = await build(["-t", other]);
  expect(built.builds).toEqual([]);
  expect(built.metadata).toMatchObject({ names: [other], digest: first.metadata.digest });
});

test("an ADD from the network without a checksum is never up to date", async () => {
  const server = createServer((_, response) => void response.end("content\n"));
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  try {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const adding = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage}\nADD http://127.0.0.1:${port}/file /file\nOUTPUT /layers\nRUN /layers/bin/layer add file /file\n`,
    });
    const [one, two] = [await adding.build(["--no-load"]), await adding.build(["--no-load"])];
    expect(two.builds).toHaveLength(2);
    expect(two.metadata).toMatchObject({ upToDate: false, digest: one.metadata.digest });
  } finally {
    server.close();
  }
});
