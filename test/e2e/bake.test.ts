import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import type { Metadata, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, type Outcome, type RunOptions } from "../support/xbuild.ts";

const sandbox = useSandbox();

const file = `FROM ${baseImage} AS one
ARG WORD=none
OUTPUT /layers
RUN echo "one $WORD" > /told && /layers/bin/layer add told /told
FROM ${baseImage} AS two
OUTPUT /layers
RUN echo two > /told && /layers/bin/layer add told /told
`;

async function bake(
  project: Project,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const outcome = await project.run(["bake", ...args], { cwd: project.context, ...options });
  assertStatus(outcome, 0);
  return outcome;
}

async function readMetadata(project: Project): Promise<Readonly<Record<string, Metadata>>> {
  return JSON.parse(await readFile(join(project.context, "metadata.json"), "utf8"));
}

/** What a file has in an image of the engine's storage. */
function readLoaded(name: string, path: string): Promise<string> {
  const script = `c=$(buildah from --pull=never "$1") && m=$(buildah mount "$c") && cat "$m$2"; buildah rm "$c" >&2`;
  return sandbox.exec("sh", "-c", script, "sh", name, path);
}

test("two targets of a file with OUTPUT, and the second run has nothing to do", async () => {
  const project = await sandbox.project({
    "Containerfile.x": file,
    "docker-bake.json": JSON.stringify({
      variable: { WORD: { default: "file" } },
      group: { default: { targets: ["one", "two"] } },
      target: {
        common: { args: { WORD: "${WORD}" }, labels: { of: "bake" } },
        one: { inherits: ["common"], target: "one", tags: ["bake-one:1"] },
        two: { inherits: ["common"], target: "two", tags: ["bake-two:${WORD}"] },
      },
    }),
  });
  const env = { WORD: "env" };
  await bake(project, ["--metadata-file", "metadata.json"], { env });
  const first = await readMetadata(project);
  expect(first["one"]?.names).toEqual(["localhost/bake-one:1"]);
  expect(first["two"]?.names).toEqual(["localhost/bake-two:env"]);
  expect(await readLoaded("localhost/bake-one:1", "/told")).toBe("one env");
  expect(await readLoaded("localhost/bake-two:env", "/told")).toBe("two");
  const again = await bake(project, ["--metadata-file", "metadata.json"], { env });
  const second = await readMetadata(project);
  expect(again.builds).toEqual([]);
  expect(Object.keys(second)).toEqual(["one", "two"]);
  expect(Object.values(second).map((one) => [one.digest, one.upToDate])).toEqual(
    Object.values(first).map((one) => [one.digest, true]),
  );
});

test("a target that is made from another one, which has its file in the bake file", async () => {
  const project = await sandbox.project({
    "base.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add etc /etc /bin\n`,
    "docker-bake.json": JSON.stringify({
      target: {
        base: { dockerfile: "base.x" },
        app: {
          contexts: { base: "target:base" },
          "dockerfile-inline":
            "FROM base\nOUTPUT /layers\nRUN cat /etc/group > /told && /layers/bin/layer add told /told\n",
          tags: ["bake-linked"],
        },
      },
    }),
  });
  await bake(project, ["app", "--metadata-file", "metadata.json"]);
  expect(Object.keys(await readMetadata(project))).toEqual(["base", "app"]);
  expect(await readLoaded("localhost/bake-linked", "/told")).toContain("app:x:1000:");
});

test("the first failure ends it, with its exit status; nothing is told then", async () => {
  const project = await sandbox.project({
    "Containerfile.x": file,
    "docker-bake.json": JSON.stringify({
      group: { default: { targets: ["fails", "two"] } },
      target: {
        fails: { "dockerfile-inline": `FROM ${baseImage}\nOUTPUT /layers\nRUN exit 7\n` },
        two: { target: "two", tags: ["bake-never"] },
      },
    }),
  });
  const options = { cwd: project.context };
  const outcome = await project.run(["bake", "--metadata-file", "metadata.json"], options);
  assertStatus(outcome, 7);
  expect(outcome.stderr).toContain("[1/2] fails");
  expect(outcome.stderr).not.toContain("[2/2]");
  await expect(readMetadata(project)).rejects.toThrow("ENOENT");
});

test("several --target of one command, its file from standard input", async () => {
  const project = await sandbox.project();
  const words = "--target one -t t-one --build-arg WORD=w --target two -t t-two -f -".split(" ");
  const metadata = ["--metadata-file", join(project.context, "metadata.json")];
  const outcome = await project.run([...words, ...metadata, project.context], { input: file });
  assertStatus(outcome, 0);
  const told = await readMetadata(project);
  expect(Object.entries(told).map(([name, one]) => [name, one.names])).toEqual([
    ["one", ["localhost/t-one:latest"]],
    ["two", ["localhost/t-two:latest"]],
  ]);
  expect(await readLoaded("localhost/t-one", "/told")).toBe("one w");
});

test("HCL is read by docker buildx bake --print where there is one", async () => {
  const project = await sandbox.project({ "Containerfile.x": file, "docker-bake.hcl": "# HCL\n" });
  const bin = join(project.context, "bin");
  const printed = JSON.stringify({
    group: { default: { targets: ["two"] } },
    target: { two: { context: ".", dockerfile: "Containerfile.x", target: "two", tags: ["hcl"] } },
  });
  await mkdir(bin);
  await writeFile(
    join(bin, "docker"),
    `#!/bin/sh\necho "$@" >> ${project.context}/asked\ncat <<'END'\n${printed}\nEND\n`,
  );
  await chmod(join(bin, "docker"), 0o755);
  const env = { PATH: [bin, sandbox.env["PATH"]].join(delimiter) };
  await bake(project, ["two", "--set", "two.tags=hcl", "--no-cache"], { env });
  expect(await readFile(join(project.context, "asked"), "utf8")).toBe(
    "buildx bake --print --progress=quiet --file=docker-bake.hcl --set=two.tags=hcl --set=*.no-cache=true -- two\n",
  );
  expect(await readLoaded("localhost/hcl", "/told")).toBe("two");
});
