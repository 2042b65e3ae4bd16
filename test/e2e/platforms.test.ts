import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIndex, createPlatformBases, type IndexBuilt } from "../support/platforms.ts";
import type { Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";
import { assertStatus, mainFile, runXbuild } from "../support/xbuild.ts";

const sandbox = useSandbox();
const service = useRegistry();

/** A layer that is the same for all platforms but for its time, and one of each. */
const containerfile = `FROM --platform=$BUILDPLATFORM ${baseImage}
ARG TARGETARCH
COPY . /src/
RUN mkdir -p /a/app /a/common && cp /src/one /a/common/ && echo $TARGETARCH > /a/app/arch
OUTPUT /layers
RUN /layers/bin/layer add common -C /a common
RUN cat /src/$TARGETARCH >> /a/app/arch; /layers/bin/layer add app -C /a app
CMD ["/app"]
`;
const files = {
  "Containerfile.x": containerfile,
  one: "1",
  amd64: "a",
  386: "b",
  ".dockerignore": "Containerfile.x",
};

beforeAll(async () => {
  await createPlatformBases(sandbox);
  await configureAccess(sandbox.directory, service.proxy);
});

interface RawIndex {
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly platform: { readonly os: string; readonly architecture: string };
  }[];
}

async function readRaw(place: string): Promise<RawIndex> {
  return JSON.parse(await sandbox.exec("skopeo", "inspect", "--raw", place));
}

function listEntries({ manifests }: RawIndex): readonly string[] {
  return manifests.map(({ digest, platform }) => `${platform.architecture} ${digest}`).sort();
}

function entriesOf({ metadata }: IndexBuilt): readonly string[] {
  return metadata.platforms
    .map(({ platform, digest }) => `${platform.architecture} ${digest}`)
    .sort();
}

function name(repository: string): string {
  return `${service.proxy.host}/${repository}:latest`;
}

function inEngine(name: string): Promise<RawIndex> {
  return readRaw(`containers-storage:${name}`);
}

describe("one name for two platforms", () => {
  let project: Project;
  let first: IndexBuilt;
  beforeAll(async () => {
    project = await sandbox.project(files);
    first = await buildIndex(project, ["--iidfile", join(sandbox.directory, "iid")]);
  });

  test("the store, the files and the report tell of the index", async () => {
    const { metadata, stdout } = first;
    expect(first.layers).toEqual([
      "linux/amd64: common new, app new",
      "linux/386: common new, app new",
    ]);
    const raw = await readRaw(`oci:${project.store}:${project.name}`);
    expect(raw.mediaType).toBe("application/vnd.oci.image.index.v1+json");
    expect(raw.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "386"]);
    expect(listEntries(raw)).toEqual(entriesOf(first));
    expect(await project.findDigest()).toBe(metadata.digest);
    expect(metadata).toMatchObject({
      "containerimage.digest": metadata.digest,
      "containerimage.descriptor": { mediaType: raw.mediaType, digest: metadata.digest },
      "image.name": project.name,
    });
    const { size } = metadata["containerimage.descriptor"];
    const blob = join(project.store, "blobs", metadata.digest.replace(":", "/"));
    expect((await readFile(blob)).byteLength).toBe(size);
    expect(await readFile(join(sandbox.directory, "iid"), "utf8")).toBe(metadata.digest);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(metadata.digest);
    for (const { digest } of metadata.platforms) expect(stdout).toContain(digest);
    expect(stdout).toMatch(/linux\/386: 2 layers, [\d.]+ \w+: 2 new {2}sha256:/);
  });

  test("each image's config has the platform that was asked for", async () => {
    for (const architecture of ["amd64", "386"]) {
      const words = [`--override-arch=${architecture}`, "inspect", "--config"];
      const place = `oci:${project.store}:${project.name}`;
      const config: { architecture: string } = JSON.parse(
        await sandbox.exec("skopeo", ...words, place),
      );
      expect(config.architecture).toBe(architecture);
    }
  });

  test("the engine's storage has a manifest list of that name, and the images no name", async () => {
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(first));
    const inspected: RawIndex = JSON.parse(
      await sandbox.exec("podman", "manifest", "inspect", project.name),
    );
    expect(listEntries(inspected)).toEqual(entriesOf(first));
    const names = await sandbox.exec("buildah", "images", "--format={{.Name}}:{{.Tag}}");
    const own = names.split("\n").filter((name) => !/xbuild-env|localhost\/base|<none>/.test(name));
    expect(own).toContain(project.name);
  });

  test("nothing changed: nothing is built, loaded or written", async () => {
    const index = await readFile(join(project.store, "index.json"));
    const again = await buildIndex(project);
    expect(again.builds).toEqual([]);
    expect(again.calls.filter((call) => / (?:copy|tag|rmi|manifest) /.test(call))).toEqual([]);
    expect(again.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(await readFile(join(project.store, "index.json"))).toEqual(index);
    const platforms = ["--platform=linux/amd64", "--platform", "linux/i386"];
    const quiet = await project.run(["-q", "-t", project.name, ...platforms, project.context]);
    expect(quiet.stdout).toBe(`${first.metadata.digest}\n`);
    expect(quiet.builds).toEqual([]);
  });

  test("images, cache ls, tag, prune, verify and rmi know it", async () => {
    const table = (await project.run(["images", project.name])).stdout;
    expect(table).toMatch(new RegExp(`${project.name} .* linux/amd64, linux/386 .* 4 `));
    const [shown] = JSON.parse(
      (await project.run(["images", "--format=json", project.name])).stdout,
    );
    expect(shown).toMatchObject({ digest: first.metadata.digest, layers: 4, missingLayers: 0 });
    expect(shown.images.map((one: { platform: string }) => one.platform)).toEqual([
      "linux/amd64",
      "linux/386",
    ]);
    const listed: { digest: string; names: string[] }[] = JSON.parse(
      (await project.run(["cache", "ls", "--format=json"])).stdout,
    );
    expect(listed.filter(({ names }) => names.includes(project.name))).toHaveLength(2);
    assertStatus(await project.run(["tag", project.name, "localhost/second"]), 0);
    assertStatus(await project.run(["rmi", project.name]), 0);
    assertStatus(await project.run(["cache", "prune"]), 0);
    assertStatus(await project.run(["cache", "verify"]), 0);
    const raw = await readRaw(`oci:${project.store}:localhost/second:latest`);
    expect(listEntries(raw)).toEqual(entriesOf(first));
    const built = await buildIndex(project);
    expect(built.metadata.digest).toBe(first.metadata.digest);
    await project.run(["rmi", "localhost/second"]);
  });

  test("one platform changed: the other is not built, and keeps its digest", async () => {
    await project.write({ 386: "other" });
    const text = containerfile.replace("COPY . /src/", "COPY one $TARGETARCH /src/");
    await project.write({ "Containerfile.x": text });
    const before = await buildIndex(project);
    await project.write({ 386: "changed" });
    const built = await buildIndex(project);
    expect(built.metadata.platforms.map((one) => one.upToDate)).toEqual([true, false]);
    expect(built.layers[1]).toBe("linux/386: common equal, app new");
    expect(built.metadata.platforms[0]?.digest).toBe(before.metadata.platforms[0]?.digest);
    expect(built.metadata.digest).not.toBe(before.metadata.digest);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(built));
  });

  test("a failure of one leaves all names as they were, here and in the engine", async () => {
    const before = [await project.findDigest(), listEntries(await inEngine(project.name))];
    const text = `${await readFile(join(project.context, "Containerfile.x"), "utf8")}RUN [ $TARGETARCH = amd64 ] || exit 7\n`;
    await project.write({ "Containerfile.x": text });
    const words = ["-t", project.name, "--platform=linux/amd64,linux/386", "--jobs=2"];
    const failed = await project.run([...words, project.context]);
    assertStatus(failed, 7);
    expect(failed.stderr).toContain("error[step-failed]");
    expect([await project.findDigest(), listEntries(await inEngine(project.name))]).toEqual(before);
  });
});

describe("names in the engine's storage", () => {
  test("from an image to a list and back, and nobody's image is lost", async () => {
    const project = await sandbox.project(files);
    const one = await project.build(["--platform=linux/amd64"]);
    const plain = await project.findLoaded();
    const both = await buildIndex(project);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(both));
    // The image that the list has is the one that had the name, and it is still there.
    expect(both.metadata.platforms[0]?.digest).toBe(one.metadata.digest);
    const list = ["images", "--all", "--no-trunc", "--quiet"];
    expect(await sandbox.exec("buildah", ...list)).toContain(plain);
    const back = await project.build(["--platform=linux/amd64"]);
    expect(back.builds).toEqual([]);
    const raw = await sandbox.exec(
      "skopeo",
      "inspect",
      "--raw",
      `containers-storage:${project.name}`,
    );
    expect(JSON.parse(raw)).toHaveProperty("config.digest", one.metadata.configDigest);
    const again = await buildIndex(project);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(again));
    // Files of an image that only a list has: it is there afterwards.
    await project.build(["--platform=linux/amd64", "-o", join(sandbox.directory, "files-of-one")]);
    const all = await sandbox.exec("buildah", ...list);
    for (const { configDigest } of again.metadata.platforms) expect(all).toContain(configDigest);
  });

  test.each(["buildah", "podman"])("--engine %s, two names at once", async (engine) => {
    const project = await sandbox.project(files);
    const other = `${project.name.replace(":latest", "")}:second`;
    const words = ["--engine", engine, "-t", project.name, "-t", other];
    const built = await buildIndex(project, words);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(built));
    expect(listEntries(await inEngine(other))).toEqual(entriesOf(built));
    const again = await buildIndex(project, words);
    expect(again.calls.filter((call) => / (?:copy|tag|rmi) /.test(call))).toEqual([]);
  });

  test("--format docker: the list's images are Docker's, the store's stay", async () => {
    const project = await sandbox.project(files);
    const built = await buildIndex(project, ["--format=docker"]);
    const raw = await inEngine(project.name);
    expect(raw.manifests.map(({ mediaType }) => mediaType)).toEqual(
      Array.from({ length: 2 }, () => "application/vnd.docker.distribution.manifest.v2+json"),
    );
    expect(listEntries(await readRaw(`oci:${project.store}:${project.name}`))).toEqual(
      entriesOf(built),
    );
  });
});

describe("killed while it loads", () => {
  test.each([
    ["before the list is whole", "manifest add", false],
    ["when the name has moved", "tag", true],
  ])("%s: the name stands for a whole list, and the next run cleans up", async (_, call, isNew) => {
    const project = await sandbox.project(files);
    const first = await buildIndex(project);
    await project.write({ one: "2" });
    const bin = join(project.context, "..", "bin");
    await mkdir(bin);
    const real = join(sandbox.env["PATH"]?.split(":")[0] ?? "", "buildah");
    // The engine's call is done, or not, and xbuild is killed.
    const script = `#!/bin/sh
case "$*" in
"${call} localhost/xbuild-run-"*-list*) ${isNew ? `${real} "$@"; ` : ""}kill -9 $PPID; exit 1 ;;
esac
exec ${real} "$@"
`;
    await writeFile(join(bin, "buildah"), script, { mode: 0o755 });
    const env = { XBUILD_STORE: project.store, PATH: `${bin}:${sandbox.env["PATH"]}` };
    const words = ["-t", project.name, "--platform=linux/amd64,linux/386", project.context];
    const killed = await runXbuild(sandbox, words, { env });
    expect(killed.status).toBeUndefined();
    const names = await sandbox.exec("buildah", "images", "--format={{.Name}}");
    expect(names).toMatch(/xbuild-run-\w+-list/);
    const loaded = listEntries(await inEngine(project.name));
    expect(loaded).toHaveLength(2);
    const isFirst = loaded.join() === entriesOf(first).join();
    expect(isFirst).toBe(!isNew);
    // What is left behind is looked for after each run.
    const again = await buildIndex(project);
    expect(again.builds).toEqual([]);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(again));
  });
});

describe("--manifest", () => {
  test("each build adds its platform to the list; another image of it takes its place", async () => {
    const project = await sandbox.project(files);
    const list = project.name.replace("app", "list");
    const add = async (platform: string): Promise<string> => {
      const words = ["--manifest", list, `--platform=${platform}`, project.context];
      const outcome = await project.run(words);
      assertStatus(outcome, 0);
      return outcome.stdout;
    };
    await add("linux/amd64");
    const alone = await inEngine(list);
    expect(alone.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64"]);
    await add("linux/386");
    const both = await inEngine(list);
    expect(listEntries(both)).toEqual(listEntries(await readRaw(`oci:${project.store}:${list}`)));
    expect(both.manifests).toHaveLength(2);
    const words = ["--manifest", list, "--platform=linux/386"];
    const repeated = await project.run([...words, project.context]);
    expect(repeated.calls.filter((call) => / (?:build|copy|tag|manifest) /.test(call))).toEqual([]);
    await project.write({ 386: "other" });
    await add("linux/386");
    const replaced = await inEngine(list);
    expect(replaced.manifests).toHaveLength(2);
    expect(listEntries(replaced)[1]).toBe(listEntries(both)[1]);
    expect(listEntries(replaced)[0]).not.toBe(listEntries(both)[0]);
    expect(listEntries(await readRaw(`oci:${project.store}:${list}`))).toEqual(
      listEntries(replaced),
    );
  });

  test("a list that buildah made keeps what it has", async () => {
    const project = await sandbox.project(files);
    const list = project.name.replace("app", "foreign");
    await sandbox.exec("buildah", "manifest", "create", list);
    await sandbox.exec(
      ...(["buildah", "manifest", "add", "--arch=s390x", list] as const),
      "containers-storage:localhost/base-amd64",
    );
    const built = await buildIndex(project, ["--manifest", list, "-t", project.name]);
    const architectures = (await inEngine(list)).manifests.map((one) => one.platform.architecture);
    expect(architectures.sort()).toEqual(["386", "amd64", "s390x"]);
    expect(listEntries(await inEngine(project.name))).toEqual(entriesOf(built));
  });

  test("a name that stands for an image in the engine is refused, as buildah does", async () => {
    const project = await sandbox.project(files);
    const words = ["--manifest", "localhost/base-amd64", "--platform=linux/amd64"];
    const refused = await project.run([...words, project.context]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain("not a manifest list");
  });
});

describe("destinations", () => {
  let project: Project;
  let first: IndexBuilt;
  let out: string;
  beforeAll(async () => {
    project = await sandbox.project(files);
    first = await buildIndex(project, ["--no-load"]);
    out = join(sandbox.directory, "out");
    await mkdir(out);
  });

  test("-o oci:DIR[:NAME] and oci-archive: have the index whole", async () => {
    const [layout, archive] = [join(out, "layout"), join(out, "archive.tar")];
    await buildIndex(project, ["-o", `oci:${layout}:one`, "-o", `oci-archive:${archive}`]);
    expect(await validateLayout(layout)).toEqual([]);
    expect(listEntries(await readRaw(`oci:${layout}:one`))).toEqual(entriesOf(first));
    expect(listEntries(await readRaw(`oci-archive:${archive}`))).toEqual(entriesOf(first));
    const copied = join(out, "copied");
    await sandbox.exec("skopeo", "copy", "-q", "--all", `oci:${layout}:one`, `oci:${copied}:one`);
    expect(await validateLayout(copied)).toEqual([]);
  });

  test("-o docker-archive: is refused before anything is built", async () => {
    const words = ["--platform=linux/amd64,linux/386", "-o", `docker-archive:${join(out, "d")}`];
    const refused = await project.run([...words, project.context]);
    assertStatus(refused, 125);
    expect(refused.stderr).toMatch(/several platforms[^]*hint: write oci-archive:FILE/);
    expect(refused.builds).toEqual([]);
  });

  test("-o type=local: a directory for each platform", async () => {
    const directory = join(out, "local");
    await buildIndex(project, ["-o", `type=local,dest=${directory}`]);
    expect((await readdir(directory)).sort()).toEqual(["linux_386", "linux_amd64"]);
    expect(await readFile(join(directory, "linux_386/app/arch"), "utf8")).toBe("386\nb");
    expect(await readFile(join(directory, "linux_amd64/common/one"), "utf8")).toBe("1");
  });

  test("-o type=tar and -: the same directories in one tar", async () => {
    const file = join(out, "files.tar");
    await buildIndex(project, ["-o", `type=tar,dest=${file}`]);
    const list = (await sandbox.exec("tar", "-tf", file)).split("\n");
    expect(list).toEqual(
      expect.arrayContaining(["linux_amd64/", "linux_amd64/app/arch", "linux_386/common/one"]),
    );
    const extracted = join(out, "extracted");
    await mkdir(extracted);
    await sandbox.exec("tar", "-xf", file, "-C", extracted);
    expect(await readFile(join(extracted, "linux_386/app/arch"), "utf8")).toBe("386\nb");
    const words = ["--platform=linux/amd64,linux/386", "-o", "-", project.context];
    const { stdout, exitCode } = await execa(process.execPath, [mainFile, ...words], {
      env: { ...sandbox.env, XBUILD_STORE: project.store },
      encoding: "buffer",
      reject: false,
    });
    expect(exitCode).toBe(0);
    expect(Buffer.from(stdout)).toEqual(await readFile(file));
  });
});

describe("a registry", () => {
  test("the index is pushed whole; what did not change sends nothing", async () => {
    const project = await sandbox.project(files);
    const words = ["-t", name("team/app"), "--push"];
    const first = await buildIndex(project, words);
    const place = `docker://${name("team/app")}`;
    expect(listEntries(await readRaw(place))).toEqual(entriesOf(first));
    const digest = await sandbox.exec("skopeo", "inspect", "--format={{.Digest}}", place);
    expect(digest).toBe(first.metadata.digest);
    const copied = join(sandbox.directory, "from-registry");
    await sandbox.exec("skopeo", "copy", "-q", "--all", place, `oci:${copied}:x`);
    expect(await validateLayout(copied)).toEqual([]);

    service.proxy.reset();
    const again = await buildIndex(project, words);
    expect(again.builds).toEqual([]);
    expect(sentRequests()).toEqual([]);

    await project.write({ 386: "other" });
    const text = containerfile.replace("COPY . /src/", "COPY one $TARGETARCH /src/");
    await project.write({ "Containerfile.x": text });
    await buildIndex(project, words);
    await project.write({ 386: "third" });
    service.proxy.reset();
    const changed = await buildIndex(project, words);
    expect(changed.metadata.platforms.map((one) => one.upToDate)).toEqual([true, false]);
    // The layer and the config, the manifest of one platform, and the index.
    expect(service.proxy.blobUploads()).toHaveLength(2);
    const manifests = sentRequests().filter((one) => one.includes("/manifests/"));
    expect(manifests.map((one) => one.replace(/^.*\/manifests\//, ""))).toEqual([
      changed.metadata.platforms[1]?.digest,
      "latest",
    ]);
  });

  test("the tag comes last: what fails leaves it", async () => {
    const project = await sandbox.project(files);
    const words = ["-t", name("team/late"), "--push", "--retry=0"];
    const first = await buildIndex(project, words);
    await project.write({ one: "2" });
    const fault = service.proxy.fault({
      match: ({ method, path }) => method === "PUT" && /late\/manifests\/latest/.test(path),
      status: 500,
    });
    const failed = await project.run([
      ...words,
      "--platform=linux/amd64,linux/386",
      project.context,
    ]);
    fault.remove();
    expect(failed.status).toBe(1);
    expect(listEntries(await readRaw(`docker://${name("team/late")}`))).toEqual(entriesOf(first));
  });

  test("a machine that has nothing takes each platform's image for its result", async () => {
    const project = await sandbox.project(files);
    const words = ["-t", name("team/fresh"), "--push"];
    const first = await buildIndex(project, words);
    const store = join(sandbox.directory, "fresh-store");
    service.proxy.reset();
    const adopted = await buildIndex(project, words, { env: { XBUILD_STORE: store } });
    expect(adopted.metadata.digest).toBe(first.metadata.digest);
    expect(adopted.builds).toEqual([]);
    expect(sentRequests()).toEqual([]);
  });

  test("--all-platforms: what all bases are there for, asked in their registry", async () => {
    for (const [repository, list] of [
      ["bases/one", ["amd64", "386"]],
      ["bases/two", ["386", "amd64", "s390x"]],
    ] as const) {
      const made = `localhost/made-${list.length}`;
      await sandbox.exec("buildah", "manifest", "create", made);
      for (const architecture of list) {
        const base = `containers-storage:localhost/base-${architecture === "386" ? "386" : "amd64"}`;
        await sandbox.exec("buildah", "manifest", "add", `--arch=${architecture}`, made, base);
      }
      const place = `docker://${name(repository)}`;
      await sandbox.exec("buildah", "manifest", "push", "-q", "--all", made, place);
      await sandbox.exec("buildah", "manifest", "rm", made);
    }
    const project = await sandbox.project({
      ...files,
      "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${name("bases/two")} AS tools
FROM ${name("bases/one")} AS one
FROM ${name("bases/two")} AS unused
FROM ${name("bases/one")}
COPY --from=one /etc/passwd /
${containerfile.replace(/^FROM .*\n/, "")}`,
    });
    const built = await project.run(["expand", "--all-platforms", project.context]);
    assertStatus(built, 0);
    expect(built.stdout).toContain("--platform=linux/amd64");
    expect(built.stdout).toContain("--platform=linux/386");
    expect(built.stdout).not.toContain("s390x");
  });
});

function sentRequests(): readonly string[] {
  return service.proxy.requests
    .filter(({ method }) => method !== "GET" && method !== "HEAD")
    .map(({ method, path }) => `${method} ${path}`);
}

describe("what is refused", () => {
  test.each([
    [
      "an unknown platform",
      ["--platform=linux/amd64,linux/amd46"],
      '"linux/amd46" is not a platform',
    ],
    ["an empty one", ["--platform=linux/amd64,"], '"" is not a platform'],
    ["a name for both", ["-t", "x", "--manifest", "x"], "cannot be the name of an image"],
    ["behind --", ["--", "--manifest=x"], "give --manifest before --"],
  ])("%s", async (_, words, message) => {
    const project = await sandbox.project(files);
    const end = words.indexOf("--");
    const [own, engine] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)];
    const refused = await project.run([...own, project.context, ...engine]);
    assertStatus(refused, 125);
    expect(refused.stderr).toContain(message);
    expect(refused.builds).toEqual([]);
  });

  test("--all-platforms without an image to ask for", async () => {
    const project = await sandbox.project({
      "Containerfile.x": "FROM scratch\nOUTPUT /layers\nCOPY . /\n",
    });
    const refused = await project.run(["--all-platforms", "-t", "x", project.context]);
    assertStatus(refused, 125);
    expect(refused.stderr).toContain("no stage of the target stands on an image");
  });
});

test.skipIf(process.arch !== "x64")(
  "a platform whose steps cannot run here is told before any step of another runs",
  async () => {
    const project = await sandbox.project({
      ...files,
      "Containerfile.x": "FROM localhost/base-s390x\nOUTPUT /layers\nRUN /bin/true\n",
    });
    const context = join(sandbox.directory, "base");
    await sandbox.exec("buildah", "manifest", "create", "localhost/base-s390x");
    for (const architecture of ["amd64", "s390x"]) {
      const place = ["--platform", `linux/${architecture}`, "--manifest", "localhost/base-s390x"];
      await sandbox.exec("buildah", "build", "--quiet", "--layers=false", ...place, context);
    }
    const words = ["-t", project.name, "--platform=linux/amd64,linux/s390x", project.context];
    const refused = await project.run(words);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("error[platform-cannot-run]");
    expect(refused.stdout).not.toContain("STEP");
  },
);

test("a file without OUTPUT goes to the engine with these flags as ever", async () => {
  const project = await sandbox.project({ Containerfile: "FROM scratch\nCOPY one /\n", one: "1" });
  await writeFile(join(project.context, "Containerfile"), "FROM scratch\nCOPY one /\n");
  const words = ["--platform=linux/amd64,linux/386", "--manifest", "localhost/plain-list"];
  assertStatus(await project.run([...words, project.context]), 0);
  const raw = await inEngine("localhost/plain-list");
  expect(raw.manifests.map((one) => one.platform.architecture).sort()).toEqual(["386", "amd64"]);
});

test("a stage on the build platform that reads nothing of the target runs once", async () => {
  const here = `localhost/base-${process.arch === "arm64" ? "arm64" : "amd64"}`;
  const shared = await sandbox.project({
    "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${here} AS common
OUTPUT /layers
RUN date +%s%N > /common && /layers/bin/layer add common /common
FROM --platform=$BUILDPLATFORM ${here}
ARG TARGETARCH
OUTPUT --from=common /layers
RUN echo $TARGETARCH > /app && /layers/bin/layer add app /app
`,
  });
  const { metadata } = await buildIndex(shared, ["--no-load", "--no-cache"]);
  const [one, other] = metadata.platforms.map(({ layers }) => layers.map(({ digest }) => digest));
  expect(one?.[0]).toBe(other?.[0]);
  expect(one?.[1]).not.toBe(other?.[1]);
});
