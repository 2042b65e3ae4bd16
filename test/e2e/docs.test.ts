import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { importDebian } from "../support/debian.ts";
import type { Metadata, Project, ProjectFiles } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listSnippets, type Snippet } from "../support/snippets.ts";
import { assertStatus, mainFile } from "../support/xbuild.ts";

// Containerfiles of the pages, as they stand there, built twice: the second time their layering steps run again, with the
// first image behind them. Which bases they get, and what stands around a fragment, says the word behind `build`.

const sandbox = useSandbox();

interface Setting {
  /** Before and behind the text. */
  readonly around?: (text: string) => string;
  readonly files?: ProjectFiles;
  readonly args?: readonly string[];
  /** One name and one store for all of them: what is large is packed once, and the first build of another keeps it. */
  readonly isShared?: boolean;
  /** The second image's layers, as far as the page tells: each a `name status`. */
  readonly layers: RegExp;
}

const script = (name: string) =>
  `#!/bin/sh\nmkdir -p /usr/local/${name} && echo ${name} > /usr/local/${name}/program\n`;

const settings: Readonly<Record<string, Setting>> = {
  debian: {
    files: { "site/index.html": "hello\n" },
    isShared: true,
    layers: /(?:libc6-\S+ equal|libc6-\S+ kept|base)/,
  },
  acquired: {
    args: ["--build-context", "base=docker-image://localhost/acquiring:latest"],
    layers: /^(?:.+ base\n)+node base\npython base$/,
  },
  packages: {
    args: ["--build-context", `base=docker-image://${baseImage}`],
    files: { "pkgs/a/etc/a": "a\n", "pkgs/b/etc/b": "b\n" },
    layers: /^a (?:kept|equal)\nb (?:kept|equal)$/,
  },
  each: {
    args: ["--build-context", `base=docker-image://${baseImage}`],
    files: { "pkgs/a/etc/a": "a\n", "pkgs/b/etc/b": "b\n" },
    layers: /^a (?:kept|equal)\nb (?:kept|equal)$/,
  },
  "hashed-each": {
    args: ["--build-context", `base=docker-image://${baseImage}`],
    files: { "pkgs/a/etc/a": "a\n", "pkgs/b/etc/b": "b\n" },
    layers: /^a-[0-9a-f]{16} kept\nb-[0-9a-f]{16} kept$/,
  },
  emitter: {
    around: (text) => `FROM localhost/built:latest\nOUTPUT /layers\n${text}`,
    layers: /^(?:bash equal\nnginx equal|nginx-1\.22\.1 kept)$/,
  },
  hashed: {
    around: (text) =>
      `FROM localhost/built:latest\nOUTPUT /layers\nENV PATH=/layers/bin:/bin\nRUN mkdir -p /build/out; hash=1; ${text}`,
    layers: /^app-1 kept$/,
  },
};

beforeAll(async () => {
  // What they install is there already: its packages are real, and nothing is downloaded twice.
  const names = ["docker.io/library/debian:bookworm", "localhost/debian:bookworm"] as const;
  await importDebian(sandbox, { name: names[0], packages: ["nginx", "make"] });
  await sandbox.exec("buildah", "tag", ...names);
  await makeBase("built", {
    "root/built/bash/bin/bash": "bash\n",
    "root/built/nginx/bin/nginx": "nginx\n",
  });
  await makeBase("acquiring", {
    "root/acquire-node": { text: script("node"), mode: 0o755 },
    "root/acquire-python": { text: script("python"), mode: 0o755 },
  });
});

async function makeBase(name: string, files: ProjectFiles): Promise<void> {
  const project = await sandbox.project({
    ...files,
    Containerfile: `FROM ${baseImage}\nCOPY root /\n`,
  });
  await sandbox.exec("buildah", "build", "-q", "-t", `localhost/${name}:latest`, project.context);
}

test.each(listSnippets().filter(({ kind }) => kind === "script"))(
  "$place: a script, run twice",
  async ({ text }) => {
    const project = await sandbox.project();
    const bin = join(project.context, "bin");
    await project.write({
      "bin/xbuild": {
        text: `#!/bin/sh\nXBUILD_STORE=${project.store} exec ${process.execPath} ${mainFile} "$@"\n`,
        mode: 0o755,
      },
    });
    const whole = `cd ${project.context}; PATH=${bin}:$PATH; set -e\n${text}`;
    const first = await sandbox.exec("sh", "-c", whole);
    const second = await sandbox.exec("sh", "-c", whole);
    expect(second.split("\n").at(-1)).toBe(first.split("\n").at(-1));
    expect(second).toMatch(/kept .* 1 layer/);
  },
);

const builds = listSnippets().filter(({ kind }) => kind === "build");

test.each(builds)("$place", buildTwice);

const shared = new Map<string, Project>();

async function buildTwice({ name, text }: Snippet): Promise<void> {
  const { around = (whole) => whole, files = {}, args = [], layers } = settings[name] ?? fail(name);
  const isShared = settings[name]?.isShared === true;
  const project = shared.get(name) ?? (await sandbox.project(files));
  if (isShared) shared.set(name, project);
  await project.write({ "Containerfile.x": around(text) });
  const first = await build(project, args);
  expect(isShared || !/ (?:kept|equal)$/m.test(first)).toBe(true);
  const second = await build(project, ["--label=again=1", ...args]);
  expect(second).toMatch(layers);
  expect(second).not.toMatch(/ new$/m);
}

/** The image's layers, a `name status` each. The store is judged, what public tools make of an image other tests see. */
async function build(project: Project, args: readonly string[]): Promise<string> {
  const file = join(project.store, "..", "metadata.json");
  const words = ["--no-load", "-t", project.name, "--metadata-file", file, ...args];
  const outcome = await project.run([...words, project.context]);
  assertStatus(outcome, 0);
  expect(outcome.builds).not.toEqual([]);
  const metadata: Metadata = JSON.parse(await readFile(file, "utf8"));
  return metadata.layers.map((layer) => `${layer.name} ${layer.status}`).join("\n");
}

function fail(name: string): never {
  throw new Error(`nothing is said of what a snippet "build ${name}" needs`);
}
