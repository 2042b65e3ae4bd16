import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// OUTPUT --from of images that the engine has not: in the store, in layouts, archives and storages.

const sandbox = useSandbox();
let project: Project;
let below: Built;

beforeAll(async () => {
  project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN mkdir /o; for n in one two; do echo $n > /o/$n; /layers/bin/layer add $n -C /o $n; done\nENV BELOW=1\n`,
  });
  below = await project.build(["--no-load"]);
});

const locate = (name: string): string => join(sandbox.directory, name);

/** Builds another file on an image, under another tag. */
async function buildOn(from: string, ...words: readonly string[]): Promise<Built> {
  await project.write({
    on: `FROM ${baseImage}\nOUTPUT --from=${from} /layers\nRUN /layers/bin/layer add top /etc/passwd\n`,
  });
  return project.build(["--no-load", "-t", "on", "-f", join(project.context, "on"), ...words]);
}

const digests = ({ metadata: { layers } }: Built): readonly string[] =>
  layers.slice(0, 2).map(({ digest }) => digest);

const diffIds = ({ metadata: { layers } }: Built): readonly string[] =>
  layers.slice(0, 2).map(({ diffId }) => diffId);

describe("its layers stand below, with their digests", () => {
  test("a local name: of the store, where the engine has none", async () => {
    expect(await project.findLoaded()).toBeUndefined();
    const built = await buildOn(project.name);
    expect(built.layers).toEqual(["one base", "two base", "top new"]);
    expect(digests(built)).toEqual(digests(below));
    expect(built.image.config.config?.Env).toContain("BELOW=1");
    expect((await buildOn(project.name)).metadata.upToDate).toBe(true);
    const named = `--build-context=base=docker-image://${project.name}`;
    expect(digests(await buildOn("base", named))).toEqual(digests(below));
  });

  test.each([
    ["oci", (path: string) => `oci:${path}:x`],
    ["oci-archive", (path: string) => `oci-archive:${path}:x`],
    ["dir", (path: string) => `dir:${path}`],
  ] as const)("%s:", async (kind, refer) => {
    const from = refer(locate(kind));
    await sandbox.exec("skopeo", "copy", "-q", `oci:${project.store}:${project.name}`, from);
    const built = await buildOn(from);
    expect(built.layers).toEqual(["one base", "two base", "top equal"]);
    expect(digests(built)).toEqual(digests(below));
    const again = await buildOn(from);
    expect(again).toMatchObject({ builds: [], metadata: { upToDate: true } });
  });

  test("another image in the same place is another base", async () => {
    const from = `oci:${locate("moved")}:x`;
    await project.run(["-o", from, "--no-load", project.context]);
    await buildOn(from);
    await project.write({
      "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add other /etc/group\n`,
    });
    await project.run(["-o", from, "--no-load", project.context]);
    expect((await buildOn(from, "--explain")).layers).toEqual(["other base", "top equal"]);
  });
});

test.each(["docker-archive", "containers-storage"])(
  "%s: its layers are compressed anew",
  async (kind) => {
    const from =
      kind === "docker-archive"
        ? `${kind}:${locate("archive")}:localhost/x:y`
        : `${kind}:localhost/x:y`;
    await sandbox.exec("skopeo", "copy", "-q", `oci:${project.store}:${project.name}`, from);
    const built = await buildOn(from);
    expect(built.layers).toEqual(["one base", "two base", "top equal"]);
    expect(diffIds(built)).toEqual(diffIds(below));
  },
);

test("what is not there is an error, before anything is built", async () => {
  await project.write({
    none: `FROM ${baseImage}\nOUTPUT --from=oci:/nowhere:x /layers\nRUN true\n`,
  });
  const failed = await project.fail(1, ["-f", join(project.context, "none")]);
  expect(failed.stderr).toContain("error[image-not-found]: oci:/nowhere:x: there is no such image");
  expect(failed.builds).toEqual([]);
});
