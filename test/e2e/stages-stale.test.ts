import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listReasons, listRun } from "../support/stages.ts";
import { assertStatus } from "../support/xbuild.ts";

// Stages that mean others than before, or came to other images: no result of before is taken for the new one.

const sandbox = useSandbox();

test("the number of a stage means another one where a stage is put in front", async () => {
  const stages = `FROM ${baseImage} AS x
RUN echo x > /f
FROM x AS y
RUN echo y > /f; echo g > /g
FROM ${baseImage}
COPY --from=y /g /g
COPY --from=1 /f /f
RUN --mount=type=bind,from=1,target=/m cat /m/f > /mounted
OUTPUT /layers
RUN mkdir -p /layers/output/layers/one && cp /f /g /mounted /layers/output/layers/one/
`;
  const project = await sandbox.project({ "Containerfile.x": stages });
  const read = async (): Promise<string> => {
    const tar = join(project.context, "..", `${project.name.replaceAll("/", "-")}.tar`);
    await project.build(["--explain", "-o", `type=tar,dest=${tar}`]);
    return sandbox.exec("tar", "-xOf", tar, "f", "mounted");
  };
  expect(await read()).toBe("y\ny");
  const front = `FROM ${baseImage} AS unused\nRUN echo u > /f\n`;
  await writeFile(join(project.context, "Containerfile.x"), front + stages);
  expect(await read()).toBe("x\nx");
});

/** One whose image is another one whenever its steps run. */
const chain = `FROM ${baseImage} AS a
OUTPUT /layers
RUN cat /proc/sys/kernel/random/uuid > /uuid && /layers/bin/layer add uuid /uuid
FROM scratch AS b
OUTPUT --from=a /layers
FROM ${baseImage} AS c
OUTPUT --from=b /layers
`;

async function findLayers(project: Project, target: string): Promise<readonly string[]> {
  const { image } = await project.build(["--no-load", `--target=${target}`]);
  return image.manifest.layers.map(({ digest }) => digest);
}

test("a stage that --no-cache makes anew reaches those that use it, directly or not", async () => {
  const project = await sandbox.project({ "Containerfile.x": chain });
  const before = await findLayers(project, "c");
  expect(await findLayers(project, "c")).toEqual(before);
  const { image } = await project.build(["--no-load", "--no-cache", "--target=a"]);
  const made = image.manifest.layers.map(({ digest }) => digest);
  expect(made).not.toEqual(before);
  const after = await project.build(["--no-load", "--target=c", "--explain"]);
  expect(after.image.manifest.layers.map(({ digest }) => digest)).toEqual(made);
  const reason = "a stage that it uses was made anew";
  expect(listReasons(after)).toEqual([reason, `b: ${reason}`]);
  const again = await project.build(["--no-load", "--target=c"]);
  expect(again.metadata.upToDate).toBe(true);
});

test("a target that is a stage of another target is made once, side by side with it", async () => {
  const project = await sandbox.project({ "Containerfile.x": chain });
  const metadata = join(sandbox.directory, "targets.json");
  const names = [`${project.name}-a`, `${project.name}-c`];
  const words = ["--jobs=0", "--no-cache", "--no-load", "--metadata-file", metadata];
  const targets = ["--target=a", "-t", names[0] ?? "", "--target=c", "-t", names[1] ?? ""];
  const outcome = await project.run([...words, ...targets, project.context]);
  assertStatus(outcome, 0);
  expect([...listRun(outcome)].sort()).toEqual(["a", "b", "c"]);
  const told: Record<string, { readonly layers: readonly { readonly digest: string }[] }> =
    JSON.parse(await readFile(metadata, "utf8"));
  expect(told["a"]?.layers.map(({ digest }) => digest)).toEqual(
    told["c"]?.layers.map(({ digest }) => digest),
  );
});

test("a target with labels of its own has the layers that others have of it as a stage", async () => {
  const project = await sandbox.project({ "Containerfile.x": chain });
  const metadata = join(sandbox.directory, "labelled.json");
  const name = (target: string): string => `${project.name}-${target}`;
  const targets = ["--target=b", "-t", name("b"), "--target=c", "-t", name("c")];
  const words = ["--no-load", "--label=own=1", "--metadata-file", metadata, ...targets];
  const build = async (more: readonly string[]): Promise<readonly Told[]> => {
    assertStatus(await project.run([...words, ...more, project.context]), 0);
    const told: Record<string, Told> = JSON.parse(await readFile(metadata, "utf8"));
    return Object.values(told);
  };
  const first = await build(["--no-cache"]);
  expect(first[0]?.layers.map(({ digest }) => digest)).toEqual(
    first[1]?.layers.map(({ digest }) => digest),
  );
  const second = await build(["--jobs=2"]);
  expect(second.map(({ upToDate }) => upToDate)).toEqual([true, true]);
  expect(second.map(({ digest }) => digest)).toEqual(first.map(({ digest }) => digest));
  const raw = await sandbox.exec(
    "skopeo",
    "inspect",
    "--config",
    `oci:${project.store}:${name("b")}`,
  );
  expect(JSON.parse(raw)).toMatchObject({ config: { Labels: { own: "1" } } });
});

interface Told {
  readonly digest: string;
  readonly upToDate: boolean;
  readonly layers: readonly { readonly digest: string }[];
}

test("an OUTPUT with no step behind it leaves no container", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM scratch\nARG X\nOUTPUT --from=${baseImage} /layers\nCMD ["x"]\n`,
  });
  const list = async (): Promise<ReadonlySet<string>> => {
    const words = ["containers", "--all", "--format={{.ContainerName}}"];
    const names = (await sandbox.exec("buildah", ...words)).split("\n");
    return new Set(names.filter((name) => name.startsWith("xbuild-run-")));
  };
  const before = await list();
  await project.build(["--no-load"]);
  await writeFile(
    join(project.context, "Containerfile.x"),
    `FROM scratch\nOUTPUT --from=${baseImage} /layers\n`,
  );
  await project.build(["--no-load"]);
  expect([...(await list())].filter((name) => !before.has(name))).toEqual([]);
});
