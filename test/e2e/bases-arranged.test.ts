import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import type { Project } from "../support/project.ts";

// The layers of several images of OUTPUT --from, and what these have in common.

const sandbox = useSandbox();
const service = useRegistry();

/** Builds an image by the engine: its digests are the same wherever the same files are on the same base. */
async function makeImage(name: string, base: string, steps: string): Promise<string> {
  const project = await sandbox.project({ Containerfile: `FROM ${base}\n${steps}\n` });
  const args = ["build", "-q", "--timestamp=1000000000", "--layers", "-t", name];
  await sandbox.exec("buildah", ...args, project.context);
  return name;
}

/** The diff IDs of an image of the engine. */
async function listDiffIds(name: string): Promise<readonly string[]> {
  const format = "--format={{range .OCIv1.RootFS.DiffIDs}}{{.}} {{end}}";
  const said = await sandbox.exec("buildah", "inspect", "--type=image", format, name);
  return said.trim().split(" ");
}

const add =
  "RUN mkdir -p /new/opt && echo hello > /new/opt/hello && /layers/bin/layer add hello -C /new opt\n";

function makeProject(from: readonly string[], steps = add): Promise<Project> {
  const flags = from.map((name) => `--from=${name}`).join(" ");
  const text = `FROM ${baseImage}\nOUTPUT ${flags} /layers\n${steps}`;
  return sandbox.project({ "Containerfile.x": text });
}

const write = (file: string, content: string): string =>
  `RUN mkdir -p ${file.replace(/[^/]*$/, "")} && echo ${content} > ${file}`;

describe("images on one base", () => {
  let one: string;
  let two: string;
  let diffIds: readonly string[];

  beforeAll(async () => {
    await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
    const { host } = service.proxy;
    one = await makeImage(`${host}/one:1`, baseImage, write("/opt/one/file", "1"));
    two = await makeImage(`${host}/two:1`, baseImage, write("/opt/two/file", "2"));
    const [first, second] = [await listDiffIds(one), await listDiffIds(two)];
    const common = (await listDiffIds(baseImage)).length;
    expect(second.slice(0, common)).toEqual(first.slice(0, common));
    diffIds = [...first, ...second.slice(common)];
    for (const name of [one, two]) await sandbox.exec("buildah", "push", "-q", name);
  });

  test("the base stands once, by reference, and counts once", async () => {
    const project = await makeProject([one, two]);
    const words = ["-t", `${service.proxy.host}/both:1`, "--push"];
    const limit = `--max-layers=${diffIds.length + 1}`;
    const built = await buildOnFreshMachine(sandbox, project.context, [...words, limit]);
    expect(built.metadata.layers.slice(0, -1).map((layer) => layer.diffId)).toEqual(diffIds);
    expect(built.stderr).not.toContain("from-hides");
    const fewer = `--max-layers=${diffIds.length}`;
    const failed = await buildOnFreshMachine(sandbox, project.context, [...words, fewer], {
      status: 1,
    });
    expect(failed.stderr).toContain("layers-too-many");
  });

  test("a copied history gives the same image again", async () => {
    const project = await makeProject([one, two]);
    const words = ["-t", "copied", "--no-load"];
    const first = await buildOnFreshMachine(sandbox, project.context, words);
    await project.write({
      "Containerfile.x": `FROM ${baseImage}\nOUTPUT --from=${one} --from=${two} /layers\nRUN cp /layers/history.json /layers/output/\n`,
    });
    const again = await buildOnFreshMachine(sandbox, project.context, words, {
      store: first.store,
    });
    expect(again.metadata.upToDate).toBe(false);
    expect(again.metadata.layers.map((layer) => layer.digest)).toEqual(
      first.metadata.layers.map((layer) => layer.digest),
    );
  });

  test("an image that stands on another one is all that there is", async () => {
    const three = await makeImage("localhost/three", one, write("/opt/three/file", "3"));
    const built = await (await makeProject([baseImage, one, three])).build(["--no-load"]);
    expect(built.metadata.layers.slice(0, -1).map((layer) => layer.diffId)).toEqual(
      await listDiffIds(three),
    );
    expect(built.stderr).not.toContain("from-hides");
  });

  test("what one hides of another is told, whichever is above", async () => {
    const changed = write("/etc/group", "changed");
    const other = await makeImage(
      "localhost/other",
      baseImage,
      `${changed}\n${write("/opt/f", "1")}`,
    );
    const last = await makeImage("localhost/last", baseImage, write("/opt/f", "2"));
    const project = await makeProject([other, last]);
    const built = await project.build(["--no-load"]);
    expect(built.stderr).toContain("from-hides");
    expect(built.stderr).toContain("opt/f of localhost/other (hidden by localhost/last)");
    expect(built.stderr).toContain("etc/group of localhost/last (hidden by localhost/other)");
    expect(await readFile(join(built.image.files, "opt", "f"), "utf8")).toBe("2\n");
    expect(await readFile(join(built.image.files, "etc", "group"), "utf8")).toBe("changed\n");
  });
});

describe("a layer that images have in common above others", () => {
  let x: string;

  beforeAll(async () => {
    x = await makeImage("localhost/x", "scratch", "COPY Containerfile /x/file");
  });

  /** An image of a layer, and one with the layer of `x` above it. */
  async function makePair(name: string, steps: string): Promise<string> {
    await makeImage(`localhost/${name}`, "scratch", steps);
    const project = await sandbox.project({
      Containerfile: `FROM localhost/${name}\nCOPY x /x/file\n`,
      x: "FROM scratch\nCOPY Containerfile /x/file\n",
    });
    const pair = `localhost/${name}-x`;
    const args = ["build", "-q", "--timestamp=1000000000", "--layers", "-t", pair];
    await sandbox.exec("buildah", ...args, project.context);
    expect((await listDiffIds(pair)).at(-1)).toBe((await listDiffIds(x))[0]);
    return pair;
  }

  test("goes where what lies between leaves its paths alone", async () => {
    const pair = await makePair("apart", "COPY Containerfile /y/file");
    const built = await (await makeProject([x, pair])).build(["--no-load"]);
    const [own, between] = [await listDiffIds(x), await listDiffIds(pair)];
    expect(built.metadata.layers.slice(0, -1).map((layer) => layer.diffId)).toEqual([
      ...own,
      ...between.slice(0, 1),
    ]);
    await access(join(built.image.files, "y", "file"));
  });

  test("stays where it does not, and its file is what the image has", async () => {
    const pair = await makePair("touching", "COPY Containerfile /x/file\nCOPY Containerfile /y/");
    const built = await (await makeProject([x, pair])).build(["--no-load"]);
    expect(built.metadata.layers.slice(0, -1).map((layer) => layer.diffId)).toEqual([
      ...(await listDiffIds(x)),
      ...(await listDiffIds(pair)),
    ]);
    expect(await readFile(join(built.image.files, "x", "file"), "utf8")).toContain("/x/file");
  });
});
