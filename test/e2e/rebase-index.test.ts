import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { listLeftovers } from "../support/leftovers.ts";
import { buildIndex, type IndexBuilt } from "../support/platforms.ts";
import type { Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";
import { assertStatus, runXbuild, type Outcome } from "../support/xbuild.ts";

// An index is rebased as a whole: each platform's image on the new base's image of that platform.

const sandbox = useSandbox();
const service = useRegistry();
let project: Project;

/** Two bases in the registry, and a third one for this machine alone. */
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  project = await sandbox.project();
  for (const [tag, platforms] of [
    ["v1", "linux/amd64,linux/arm64"],
    ["v2", "linux/arm64,linux/amd64"],
  ] as const) {
    await project.write({
      "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${baseImage}
ARG TARGETARCH
RUN mkdir /a && echo ${tag} $TARGETARCH > /a/base
OUTPUT /layers
RUN /layers/bin/layer add base -C /a base
ENV BASE=${tag}
`,
    });
    await buildIndex(project, ["-t", remote(`base:${tag}`), `--platform=${platforms}`, "--push"]);
  }
  await makeHalf();
});

function remote(name: string): string {
  return `${service.proxy.host}/${name}`;
}

/** For amd64 alone: a list of one image. */
async function makeHalf(): Promise<void> {
  const list = "localhost/half";
  await sandbox.exec("buildah", "manifest", "create", list);
  await sandbox.exec("buildah", "manifest", "add", list, `docker://${remote("base:v2")}`);
  const words = ["manifest", "push", "-q", "--all", list, `docker://${remote("base:half")}`];
  await sandbox.exec("buildah", ...words);
  await sandbox.exec("buildah", "manifest", "rm", list);
}

async function makeApp(words: readonly string[]): Promise<IndexBuilt> {
  await project.write({
    "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${baseImage}
ARG TARGETARCH
RUN mkdir /o && echo $TARGETARCH > /o/own
OUTPUT --from=${remote("base:v1")} /layers
RUN /layers/bin/layer add own -C /o own
`,
  });
  return buildIndex(project, ["--platform=linux/amd64,linux/arm64", ...words]);
}

async function rebase(words: readonly string[], status = 0): Promise<Outcome> {
  const env = { XBUILD_STORE: project.store };
  const outcome = await runXbuild(sandbox, ["rebase", ...words], { env });
  assertStatus(outcome, status);
  expect(await validateLayout(project.store, { allowMissingLayers: true })).toEqual([]);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
  return outcome;
}

interface Raw {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform: { readonly architecture: string };
  }[];
}

async function readRaw(place: string): Promise<Raw> {
  return JSON.parse(await sandbox.exec("skopeo", "inspect", "--raw", place));
}

function architectures({ manifests }: Raw): readonly string[] {
  return manifests.map(({ platform }) => platform.architecture);
}

async function layersOf(place: string, architecture: string): Promise<readonly string[]> {
  const words = [`--override-arch=${architecture}`, "inspect", place];
  const { Layers }: { Layers: readonly string[] } = JSON.parse(
    await sandbox.exec("skopeo", ...words),
  );
  return Layers;
}

test("from registry to registry, and the second time nothing happens", async () => {
  const name = remote("app:v1");
  await makeApp(["-t", name, "--push"]);
  const place = `docker://${name}`;
  const before = new Map([
    ["amd64", await layersOf(place, "amd64")],
    ["arm64", await layersOf(place, "arm64")],
  ]);
  const moved = await rebase([place, "--onto", remote("base:v2")]);
  const raw = await readRaw(place);
  expect(architectures(raw)).toEqual(["amd64", "arm64"]);
  for (const architecture of ["amd64", "arm64"]) {
    const [base] = await layersOf(`docker://${remote("base:v2")}`, architecture);
    const [first, own, ...rest] = await layersOf(place, architecture);
    expect([first, rest]).toEqual([base, []]);
    expect(own).toBe(before.get(architecture)?.[1]);
  }
  expect(moved.stdout).toContain("(linux/arm64): 1 base layer replaced by 1, 1 own layer kept");
  service.proxy.reset();
  const again = await rebase([place, "--onto", remote("base:v2")]);
  expect(again.stdout).toContain("Up to date");
  const sent = service.proxy.requests.filter(({ method }) => !/^(?:GET|HEAD)$/.test(method));
  expect(sent).toEqual([]);
  expect(await readRaw(place)).toEqual(raw);
});

test("in the store, and pushed from there", async () => {
  const name = remote("stored:v1");
  const built = await makeApp(["-t", name, "--no-load"]);
  const moved = await rebase([
    name,
    "--onto",
    remote("base:v2"),
    "-t",
    remote("stored:v2"),
    "--push",
  ]);
  const digest = moved.stdout.trimEnd().split("\n").at(-1) ?? "";
  const raw = await readRaw(`docker://${remote("stored:v2")}`);
  expect(architectures(raw)).toEqual(["amd64", "arm64"]);
  const index = await readFile(join(project.store, "blobs", digest.replace(":", "/")), "utf8");
  expect(JSON.parse(index)).toEqual(raw);
  const shown = await runXbuild(sandbox, ["images", "--format=json", name], {
    env: { XBUILD_STORE: project.store },
  });
  expect(JSON.parse(shown.stdout)[0]).toMatchObject({ digest: built.metadata.digest });
});

test("platforms that the new base lacks are named, and nothing is changed", async () => {
  const name = remote("kept:v1");
  await makeApp(["-t", name, "--push"]);
  const before = await readRaw(`docker://${name}`);
  for (const image of [`docker://${name}`, name]) {
    const refused = await rebase([image, "--onto", remote("base:half")], 1);
    expect(refused.stderr).toContain("error[image-unsupported]");
    expect(refused.stderr).toMatch(/base:half has no image for linux\/(?:arm64|amd64), of which/);
  }
  expect(await readRaw(`docker://${name}`)).toEqual(before);
  const architecture = (await readRaw(`docker://${remote("base:half")}`)).manifests[0]?.platform
    .architecture;
  const one = ["--platform", `linux/${architecture}`, "-t", remote("kept:one")];
  await rebase([`docker://${name}`, "--onto", remote("base:half"), ...one]);
});
