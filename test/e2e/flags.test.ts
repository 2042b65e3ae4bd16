import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();
let directory: string;

beforeAll(async () => {
  directory = join(sandbox.directory, "named");
  await mkdir(directory);
  await writeFile(join(directory, "file"), "named\n");
});

/** Flags whose effect a step sees: the same in the environment and in the layering steps. */
const seen: readonly {
  readonly name: string;
  readonly args: () => readonly string[];
  readonly step: string;
  readonly expected: string;
}[] = [
  {
    name: "--secret",
    args: () => ["--secret", `id=key,src=${join(directory, "file")}`],
    step: "RUN --mount=type=secret,id=key cat /run/secrets/key > /told",
    expected: "named",
  },
  {
    name: "--volume",
    args: () => ["--volume", `${directory}:/volume:ro`],
    step: "RUN cat /volume/file > /told",
    expected: "named",
  },
  {
    name: "--build-context",
    args: () => ["--build-context", `other=${directory}`],
    step: "COPY --from=other file /told",
    expected: "named",
  },
  {
    name: "--build-context with an image",
    args: () => ["--build-context", `other=docker-image://${baseImage}`],
    step: "COPY --from=other /etc/group /told",
    expected: "root:x:0:\napp:x:1000:",
  },
  {
    name: "--add-host",
    args: () => ["--add-host", "peer:192.0.2.7"],
    step: "RUN grep -o '192.0.2.7.*peer' /etc/hosts | tr '\\t' ' ' > /told",
    expected: "192.0.2.7 peer",
  },
  {
    name: "--add-host after --",
    args: () => ["--", "--add-host", "peer:192.0.2.8"],
    step: "RUN grep -o '192.0.2.8.*peer' /etc/hosts | tr '\\t' ' ' > /told",
    expected: "192.0.2.8 peer",
  },
  {
    // Without a runtime there is the machine's network alone, and newer engines refuse any other.
    name: "--network=none, --isolation=oci",
    args: () => ["--network", "none", "--isolation=oci"],
    step: "RUN tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' > /told",
    expected: "lo",
  },
  {
    name: "--isolation, --jobs, --cap-add, --cap-drop, --shm-size, --dns",
    args: () => [
      "--isolation=chroot",
      "--jobs",
      "2",
      "--cap-add=CAP_NET_RAW",
      "--cap-drop=CAP_MKNOD",
      "--shm-size=64m",
      "--dns",
      "192.0.2.53",
    ],
    step: "RUN grep -o 192.0.2.53 /etc/resolv.conf > /told",
    expected: "192.0.2.53",
  },
];

describe.each([["before"], ["after"]])("%s OUTPUT", (where) => {
  test.each(seen)("$name", async ({ args, step, expected }) => {
    const [before, after] = where === "before" ? [step, ""] : ["", step];
    const project = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage}\n${before}\nOUTPUT /layers\n${after}\nRUN /layers/bin/layer add told /told\n`,
    });
    const built = await project.build(["--no-load", ...args()]);
    expect((await readFile(join(built.image.files, "told"), "utf8")).trimEnd()).toBe(expected);
  });
});

const small = `FROM ${baseImage}
ARG A=default
OUTPUT /layers
RUN mkdir -p /layers/output/layers/a && echo "$A" > /layers/output/layers/a/a
`;

test("build arguments: the environment's, a file's, the command line's last", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  const file = join(sandbox.directory, "arguments");
  await writeFile(file, "# a comment\nA=from file\n\nB=other\n");
  const rows: readonly [readonly string[], string][] = [
    [["--build-arg", "A"], "from environment\n"],
    [["--build-arg-file", file], "from file\n"],
    [["--build-arg-file", file, "--build-arg", "A=from line"], "from line\n"],
    [["--build-arg", "A=one", "--build-arg", "A=two"], "two\n"],
  ];
  for (const [args, expected] of rows) {
    const env = { A: "from environment" };
    const built = await project.build(["--no-load", ...args], { env });
    expect(await readFile(join(built.image.files, "a"), "utf8")).toBe(expected);
  }
});

test("--ignorefile, and the ignore file of the context", async () => {
  const project = await sandbox.project({
    ".dockerignore": "one\n",
    mine: "two\n",
    one: "",
    two: "",
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nCOPY . /src\nRUN rm -f /src/mine /src/Containerfile.x /src/.dockerignore\nRUN ls /src > /list && /layers/bin/layer add list /list\n`,
  });
  const read = async (args: readonly string[]): Promise<string> => {
    const built = await project.build(["--no-load", ...args]);
    return readFile(join(built.image.files, "list"), "utf8");
  };
  expect(await read([])).toBe("two\n");
  expect(await read(["--ignorefile", join(project.context, "mine")])).toBe("one\n");
});

test("--label, --annotation, --platform, --timestamp", async () => {
  const project = await sandbox.project({ "Containerfile.x": `${small}LABEL own=1 over=1\n` });
  const platform = `linux/${(await sandbox.exec("dpkg", "--print-architecture")).trim()}`;
  const built = await project.build([
    "--label",
    "over=2",
    "--label",
    "empty",
    "--annotation",
    "org.example.a=b=c",
    "--platform",
    platform,
    "--timestamp",
    "1000000000",
    "--no-load",
  ]);
  expect(built.image.container.Labels).toEqual({ own: "1", over: "2", empty: "" });
  expect(built.image.manifest.annotations).toMatchObject({ "org.example.a": "b=c" });
  expect(`${built.metadata.platform.os}/${built.metadata.platform.architecture}`).toBe(platform);
  expect(built.image.config.created).toBe("2001-09-09T01:46:40Z");
  expect(built.image.config.history?.map((entry) => entry.created)).toEqual(
    built.image.config.history?.map(() => "2001-09-09T01:46:40Z"),
  );
});

test("several names, --quiet, --iidfile, --metadata-file", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  const other = "localhost/flags-other:v2";
  const iidFile = join(sandbox.directory, "iid");
  const args = ["-t", project.name, "-t", "flags-other:v2", "--quiet", "--iidfile", iidFile];
  const built = await project.build(args);
  expect(built.metadata.names).toEqual([project.name, other]);
  expect(built.stdout).toBe(`${built.metadata.configDigest.slice(7)}\n`);
  expect(await readFile(iidFile, "utf8")).toBe(built.metadata.configDigest);
  for (const name of [project.name, other]) {
    const id = await sandbox.exec("buildah", "images", "--quiet", "--no-trunc", name);
    expect(id.trim()).toBe(built.metadata.configDigest);
  }
});

test("--no-load leaves the engine's storage as it is", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  await project.build(["--no-load"]);
  expect(await project.findLoaded()).toBeUndefined();
});

test("--pull=never needs the base here; a name that nobody has", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  await project.build(["--no-load", "--pull=never"]);
  await project.write({ "Containerfile.x": small.replace(baseImage, "localhost/nobody:v1") });
  const refused = await project.fail(1, ["--pull=never"]);
  expect(refused.stderr).toContain("error[image-pull-failed]");
});

test("--engine-arg: another storage", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  const [root, runRoot] = ["root", "runroot"].map((name) => join(sandbox.directory, name));
  const options = [`--root=${root}`, `--runroot=${runRoot}`, "--storage-driver=overlay"];
  await sandbox.exec(
    "skopeo",
    "copy",
    "--quiet",
    `containers-storage:${baseImage}`,
    `containers-storage:[overlay@${root}+${runRoot}]${baseImage}`,
  );
  try {
    const words = options.map((option) => `--engine-arg=${option}`);
    // As of any storage: the driver keeps its own directory mounted.
    const built = await project.build(words, { allowMounts: [`${root}/overlay`] });
    expect(await project.findLoaded()).toBeUndefined();
    const id = await sandbox.exec(
      "buildah",
      ...options,
      "inspect",
      "--type=image",
      "--format={{.FromImageID}}",
      project.name,
    );
    expect(`sha256:${id}`).toBe(built.metadata.configDigest);
  } finally {
    await sandbox.exec("umount", `${root}/overlay`).catch(() => "");
  }
});

test("-- flags that would break the calls are refused", async () => {
  const project = await sandbox.project({ "Containerfile.x": small });
  for (const flag of [
    "-t",
    "--tag=x",
    "--iidfile=x",
    "--squash",
    "--output=x",
    "--layers",
    "--userns=auto",
  ]) {
    const refused = await project.fail(125, ["--", flag]);
    expect(refused.stderr).toContain(flag.replace(/=.*/, ""));
    expect(refused.builds).toEqual([]);
  }
});
