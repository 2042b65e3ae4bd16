import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { refNameAnnotation } from "../../src/oci/annotations.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import type { Descriptor, Digest, ImageConfig, Manifest } from "../../src/oci/model.ts";
import { renderSize, sumSizes } from "../../src/units.ts";
import { listLeftovers } from "../support/leftovers.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";
import { assertStatus, runXbuild, type Outcome } from "../support/xbuild.ts";

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });
const other = useRegistry({ auth: "basic" });

let store: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  await configureAccess(sandbox.directory, other.proxy);
  store = join(sandbox.directory, "store");
  await Promise.all([makeRegistryImages(), makeStoreImages()]);
});

function remote(name: string): string {
  return `${service.proxy.host}/${name}`;
}

/** In no other registry. */
function foreignBase(): string {
  return `${other.proxy.host}/base:v3`;
}

/** Bases and images by plain buildah: what they were built on, they say themselves. */
async function makeRegistryImages(): Promise<void> {
  await Promise.all([
    makeBase("1", remote("base:v1")),
    makeBase("2", remote("base:v2")),
    makeBase("3", foreignBase()),
  ]);
  await Promise.all([
    makeApp(remote("base:v1"), remote("app:v1")),
    makeApp(remote("base:v2"), remote("rebuilt:v2")),
  ]);
  const copy = (to: string, ...flags: readonly string[]): Promise<string> =>
    sandbox.exec(
      "skopeo",
      "copy",
      "-q",
      ...flags,
      `docker://${remote("app:v1")}`,
      `docker://${to}`,
    );
  await copy(remote("docker:v1"), "--format=v2s2");
  for (const tag of ["same", "refused", "elsewhere"]) await copy(remote(`app:${tag}`));
}

async function makeBase(version: string, name: string): Promise<void> {
  const context = await writeContext({ "lib/fix": version, "etc/db": version, "lib/same": "s" });
  const lines = [
    `FROM ${baseImage}`,
    "COPY . /",
    `ENV V=${version} ${version === "1" ? "OLD" : "NEW"}=${version} KEPT=base`,
    `LABEL os=${version}`,
    `CMD ["base-${version}"]`,
  ];
  await buildWithBuildah(context, name, lines);
}

async function makeApp(base: string, name: string): Promise<void> {
  const context = await writeContext({ "app/one": "1" });
  const lines = ["COPY app /app", "RUN echo made > /app/made", "ENV APP=1 KEPT=own", "EXPOSE 80"];
  await buildWithBuildah(context, name, [`FROM ${base}`, ...lines]);
}

/** It is pulled again where another one is built on it, so that it has the registry's digest. */
async function buildWithBuildah(
  context: string,
  name: string,
  lines: readonly string[],
): Promise<void> {
  await writeFile(join(context, "Containerfile"), `${lines.join("\n")}\n`);
  await writeFile(join(context, ".containerignore"), "Containerfile\n.containerignore\n");
  await sandbox.exec("buildah", "build", "-q", "-t", name, context);
  await sandbox.exec("buildah", "push", "-q", name, `docker://${name}`);
  await sandbox.exec("buildah", "rmi", "-f", name);
}

async function writeContext(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(sandbox.directory, "context-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

/** Images of the store: their first layer is that of a base, for equal content is packed equally. */
async function makeStoreImages(): Promise<void> {
  const add = "RUN /layers/bin/layer add";
  const base = `${add} base -C /made lib etc`;
  const own = `${add} own -C /made app`;
  const database = `${add} database -C /own etc/db`;
  await Promise.all([
    buildInStore("base:v1", "1", [base, "ENV V=1"]),
    buildInStore("base:v2", "2", [base, "ENV V=2"]),
    buildInStore("app:v1", "1", [base, own, "ENV V=1 APP=1"]),
    buildInStore("hiding:v1", "1", [base, own, database, "ENV V=1"]),
  ]);
}

async function buildInStore(
  name: string,
  version: string,
  steps: readonly string[],
): Promise<void> {
  const context = await mkdtemp(join(sandbox.directory, "store-context-"));
  const lines = [
    `FROM ${baseImage}`,
    `RUN mkdir -p /made/lib /made/etc /made/app /own/etc && cd /made && \\`,
    `    echo ${version} | tee lib/fix > etc/db && echo same > lib/same && echo 1 > app/one && \\`,
    `    echo own > /own/etc/db`,
    "OUTPUT /layers",
    ...steps,
  ];
  await writeFile(join(context, "Containerfile.x"), `${lines.join("\n")}\n`);
  // Of the same times, so that equal files are equal layers.
  assertStatus(await xbuild(["--no-load", "--timestamp=1", "-t", `localhost/${name}`, context]), 0);
}

function xbuild(args: readonly string[], directory = store): Promise<Outcome> {
  return runXbuild(sandbox, args, { env: { XBUILD_STORE: directory } });
}

interface Rebased extends Outcome {
  /** What it printed last. */
  readonly digest: string;
}

/** A rebase after which the store is sound. */
async function rebase(args: readonly string[], status = 0, directory = store): Promise<Rebased> {
  const outcome = await xbuild(["rebase", "--retry-delay=20ms", ...args], directory);
  assertStatus(outcome, status);
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  const isChanged = status === 0;
  const findings = isChanged ? await validateLayout(directory, { allowMissingLayers: true }) : [];
  expect(findings).toEqual([]);
  return { ...outcome, digest: outcome.stdout.trimEnd().split("\n").at(-1) ?? "" };
}

interface Found {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** An image as any tool sees it. */
async function inspectRemote(name: string): Promise<Found> {
  const ask = (...what: readonly string[]): Promise<string> =>
    sandbox.exec("skopeo", "inspect", "--raw", ...what, `docker://${remote(name)}`);
  const [manifest, config] = await Promise.all([ask(), ask("--config")]);
  const digest = digestBytes(Buffer.from(manifest));
  return { digest, manifest: JSON.parse(manifest), config: JSON.parse(config) };
}

async function readStored<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(join(store, path), "utf8"));
}

async function inspectStored(name: string): Promise<Found> {
  const index = await readStored<{ readonly manifests: readonly Descriptor[] }>("index.json");
  const entry = index.manifests.find(
    ({ annotations }) => annotations?.[refNameAnnotation] === `localhost/${name}`,
  );
  if (entry === undefined) throw new Error(`the store has no ${name}`);
  const manifest = await readStored<Manifest>(`blobs/${entry.digest.replace(":", "/")}`);
  const path = `blobs/${manifest.config.digest.replace(":", "/")}`;
  return { digest: entry.digest, manifest, config: await readStored<ImageConfig>(path) };
}

function digestsOf({ manifest }: Found): readonly Digest[] {
  return manifest.layers.map((layer) => layer.digest);
}

function describeHistory({ config }: Found): readonly (string | undefined)[] {
  return (config.history ?? []).map((entry) => entry.created_by);
}

/** The files of an image in a registry: path, kind, mode, owner and content of each. */
async function listFiles(name: string): Promise<string> {
  const directory = await mkdtemp(join(sandbox.directory, "files-"));
  const layout = join(directory, "layout");
  const source = `docker://${remote(name)}`;
  await sandbox.exec("skopeo", "copy", "-q", "--preserve-digests", source, `oci:${layout}:x`);
  expect(await validateLayout(layout)).toEqual([]);
  const root = join(directory, "root");
  await sandbox.exec("umoci", "raw", "unpack", "--image", `${layout}:x`, root);
  const script =
    'cd "$0" && find . -mindepth 1 -printf "%P %y %m %U %G %l\\n" | sort && find . -type f -exec sha256sum {} + | sort';
  return sandbox.exec("sh", "-c", script, root);
}

let rebuilt: Promise<string> | undefined;

/** Those that a build on the new base makes. */
function rebuiltFiles(): Promise<string> {
  rebuilt ??= listFiles("rebuilt:v2");
  return rebuilt;
}

/** Engines from buildah 1.41 on write when they have made an image into an annotation, too. */
function withoutTime(annotations: Readonly<Record<string, string>> | undefined) {
  const timeName = "org.opencontainers.image.created";
  return Object.entries(annotations ?? {}).filter(([name]) => name !== timeName);
}

/** Requests for bytes of these layers. */
function countDownloads(proxy: typeof service.proxy, layers: readonly Digest[]): number {
  return proxy.blobDownloads().filter(({ path }) => layers.some((one) => path.includes(one)))
    .length;
}

describe("from registry to registry", () => {
  test("it is what a build on the new base makes, and no layer is moved", async () => {
    const [before, base] = [await inspectRemote("app:v1"), await inspectRemote("base:v2")];
    service.proxy.reset();
    const words = ["--onto", remote("base:v2"), "-t", remote("app:v2")];
    const outcome = await rebase([`docker://${remote("app:v1")}`, ...words]);
    const layers = [...digestsOf(before), ...digestsOf(base)];
    // What goes up is the config alone.
    expect(service.proxy.blobUploads().filter(({ sent }) => sent > 16 * 1024)).toEqual([]);
    expect(service.proxy.uploaded()).toBeLessThan(16 * 1024);
    expect(countDownloads(service.proxy, layers)).toBe(0);
    const [after, rebuilt] = [await inspectRemote("app:v2"), await inspectRemote("rebuilt:v2")];
    expect(outcome.digest).toBe(after.digest);
    expect(digestsOf(after)).toEqual([...digestsOf(base), ...digestsOf(before).slice(2)]);
    expect(after.config.config).toEqual(rebuilt.config.config);
    expect(await listFiles("app:v2")).toBe(await rebuiltFiles());
    expect(withoutTime(after.manifest.annotations)).toEqual(
      withoutTime(rebuilt.manifest.annotations),
    );
    expect(outcome.stdout).toContain("2 base layers replaced by 2, 1 own layer kept (");
    expect(outcome.stdout).toContain(`new base ${remote("base:v2")}@${base.digest}`);
    const fresh = after.manifest.layers.filter(({ digest }) => !digestsOf(before).includes(digest));
    const download = `download: ${renderSize(sumSizes(fresh))} for whoever has the image before`;
    expect(outcome.stdout).toContain(download);
    expect(outcome.stderr).toContain("rebase-unchecked");
    expect(await inspectRemote("app:v1")).toEqual(before);
  });

  test("the tag moves on; the second time nothing happens", async () => {
    const words = [`docker://${remote("app:same")}`, "--onto", `docker://${remote("base:v2")}`];
    const first = await rebase(words);
    expect((await inspectRemote("app:same")).digest).toBe(first.digest);
    service.proxy.reset();
    // Whatever it was built on once.
    const second = await rebase([...words, "--from", remote("base:v1")]);
    expect(second.stdout).toContain("Up to date");
    expect(second.digest).toBe(first.digest);
    expect(service.proxy.uploaded()).toBe(0);
  });

  test("a base of another registry: its layers come, and nothing else", async () => {
    const before = await inspectRemote("app:v1");
    const base = JSON.parse(
      await sandbox.exec("skopeo", "inspect", "--raw", `docker://${foreignBase()}`),
    );
    const layers = digestsOf({ ...before, manifest: base });
    service.proxy.reset();
    other.proxy.reset();
    await rebase([`docker://${remote("app:elsewhere")}`, "--onto", foreignBase()]);
    // What both bases begin with is there already.
    expect(layers.filter((digest) => !digestsOf(before).includes(digest))).toHaveLength(1);
    expect(countDownloads(other.proxy, layers)).toBe(1);
    expect(countDownloads(service.proxy, [...digestsOf(before), ...layers])).toBe(0);
    // It and the config.
    expect(service.proxy.blobUploads().filter(({ sent }) => sent > 0)).toHaveLength(2);
    const after = await inspectRemote("app:elsewhere");
    expect(digestsOf(after)).toEqual([...layers, ...digestsOf(before).slice(2)]);
    expect(await listFiles("app:elsewhere")).toContain("app/made");
  });

  test("a manifest of Docker's knows no base: --from says it, and it becomes OCI's", async () => {
    const words = [`docker://${remote("docker:v1")}`, "--onto", remote("base:v2")];
    const before = await inspectRemote("docker:v1");
    const refused = await rebase(words, 1);
    expect(refused.stderr).toContain("rebase-base-unknown");
    expect(refused.stderr).toContain("--from");
    expect(await inspectRemote("docker:v1")).toEqual(before);
    await rebase([...words, "--from", remote("base:v1")]);
    expect(await listFiles("docker:v1")).toBe(await rebuiltFiles());
  });

  test("refused: another base, one that is gone, no such image; the tag stays", async () => {
    const image = `docker://${remote("app:refused")}`;
    const before = await inspectRemote("app:refused");
    const mismatch = await rebase(
      [image, "--onto", remote("base:v2"), "--from", remote("base:v2")],
      1,
    );
    expect(mismatch.stderr).toContain("rebase-base-mismatch");
    expect(mismatch.stderr).toContain("1 of that base's 2 layers");
    const missing = await rebase([image, "--onto", remote("base:v9")], 1);
    expect(missing.stderr).toMatch(/image-not-found.*base:v9/);
    // As after the registry's garbage collection.
    const gone = service.proxy.fault({
      match: ({ path }) => /\/base\/manifests\/sha256:/.test(path),
      status: 404,
    });
    const unknown = await rebase([image, "--onto", foreignBase()], 1);
    gone.remove();
    expect(unknown.stderr).toMatch(/rebase-base-unknown.*no longer has the image's base/);
    expect(await inspectRemote("app:refused")).toEqual(before);
  });

  test("a list of several platforms is not replaced by one of them", async () => {
    const list = remote("list:v1");
    await sandbox.exec("buildah", "manifest", "create", list, `docker://${remote("app:v1")}`);
    await sandbox.exec("buildah", "manifest", "push", "--all", list, `docker://${list}`);
    await sandbox.exec("buildah", "manifest", "rm", list);
    const before = await sandbox.exec("skopeo", "inspect", "--raw", `docker://${list}`);
    const platform = (await sandbox.exec("dpkg", "--print-architecture")).trim();
    const one = ["--platform", `linux/${platform}`];
    const words = [`docker://${list}`, "--onto", remote("base:v2"), ...one];
    const refused = await rebase(words, 125);
    expect(refused.stderr).toContain("several platforms");
    await rebase([...words, "-t", remote("list:one")]);
    expect(await listFiles("list:one")).toBe(await rebuiltFiles());
    expect(await sandbox.exec("skopeo", "inspect", "--raw", `docker://${list}`)).toBe(before);
  });
});

describe("in the store", () => {
  const bases = ["--onto", "base:v2", "--from", "base:v1"];

  test("the name moves on, and the next time nothing happens", async () => {
    const [before, base] = [await inspectStored("app:v1"), await inspectStored("base:v2")];
    const named = await rebase(["app:v1", ...bases, "-t", "app:v2"]);
    expect(named.stderr).not.toContain("warning");
    expect(await inspectStored("app:v1")).toEqual(before);
    const moved = await rebase(["app:v1", ...bases, "--force"]);
    const after = await inspectStored("app:v1");
    expect(moved.digest).toBe(after.digest);
    expect((await inspectStored("app:v2")).config.rootfs).toEqual(after.config.rootfs);
    expect(digestsOf(after)).toEqual([...digestsOf(base), ...digestsOf(before).slice(1)]);
    expect(after.config.config?.Env).toEqual(expect.arrayContaining(["V=2", "APP=1"]));
    expect(after.manifest.annotations).toEqual({
      "io.xbuild.layer.fingerprints": expect.stringMatching(/^v1:/),
      "org.opencontainers.image.base.digest": base.digest,
    });
    const again = await rebase(["app:v1", "--onto", "base:v2"]);
    expect(again.stdout).toContain("Up to date");
    expect(again.digest).toBe(moved.digest);
    // Back again: the annotations say what it stands on now.
    const back = await rebase(["app:v2", "--onto", "base:v1", "-q"]);
    expect(back.stdout).toBe(`${back.digest}\n`);
    expect(digestsOf(await inspectStored("app:v2"))).toEqual(digestsOf(before));
  });

  test("own layers that hide what changed in the base: refused, unless with --force", async () => {
    const before = await inspectStored("hiding:v1");
    const refused = await rebase(["hiding:v1", ...bases], 1);
    expect(refused.stderr).toContain("rebase-conflict");
    expect(refused.stderr).toContain("1 path that changed");
    expect(refused.stderr).toContain("  | etc/db (database)\n");
    expect(refused.stderr).toContain("--force");
    expect(await inspectStored("hiding:v1")).toEqual(before);
    const forced = await rebase(["hiding:v1", ...bases, "--force"]);
    expect(forced.stderr).toContain("warning[rebase-conflict]");
    expect((await inspectStored("hiding:v1")).digest).toBe(forced.digest);
  });

  test("bases that are elsewhere on this machine: their layers come into the store", async () => {
    const layout = join(sandbox.directory, "layout");
    const lone = join(sandbox.directory, "lone-store");
    const copy = (name: string, to: string): Promise<string> =>
      sandbox.exec("skopeo", "copy", "-q", `oci:${store}:localhost/${name}`, `oci:${to}`);
    for (const name of ["base:v1", "base:v2"]) await copy(name, `${layout}:${name}`);
    // A store that has the image alone.
    await copy("hiding:v1", `${lone}:localhost/hiding:v1`);
    const words = ["--onto", `oci:${layout}:base:v1`, "--from", `oci:${layout}:base:v2`];
    const refused = await rebase(["hiding:v1", ...words], 1, lone);
    expect(refused.stderr).toContain("  | etc/db (database)\n");
    await rebase(["hiding:v1", ...words, "--force"], 0, lone);
    expect(await validateLayout(lone)).toEqual([]);
  });

  test("onto a base in a registry: its layers stay there, and are mounted by a push", async () => {
    const base = await inspectRemote("base:v2");
    const name = remote("pushed:v1");
    assertStatus(await xbuild(["tag", "app:v1", name]), 0);
    service.proxy.reset();
    const words = ["--onto", remote("base:v2"), "--from", "base:v2"];
    const outcome = await rebase([name, ...words, "--push"]);
    expect(outcome.stderr).toContain("rebase-unchecked");
    expect(countDownloads(service.proxy, digestsOf(base))).toBe(0);
    const after = await inspectRemote("pushed:v1");
    expect(after.digest).toBe(outcome.digest);
    expect(digestsOf(after).slice(0, 2)).toEqual(digestsOf(base));
    expect(await listFiles("pushed:v1")).toContain("app/one");
  });

  test("an image with OUTPUT --from is what a build with the other --from makes", async () => {
    const context = await writeContext({});
    const build = async (base: string, name: string): Promise<Found> => {
      const lines = [
        `FROM ${baseImage}`,
        "RUN mkdir -p /made/opt && echo 1 > /made/opt/one",
        `OUTPUT --from=${remote(base)} /layers`,
        "RUN /layers/bin/layer add opt -C /made opt",
        "ENV KEPT=own APP=1",
      ];
      await writeFile(join(context, "Containerfile.x"), `${lines.join("\n")}\n`);
      assertStatus(await xbuild(["--no-load", "-t", `localhost/${name}`, context]), 0);
      return inspectStored(name);
    };
    const [, expected] = [await build("base:v1", "from:v1"), await build("base:v2", "from:v2")];
    await rebase(["from:v1", "--onto", remote("base:v2")]);
    const after = await inspectStored("from:v1");
    expect(digestsOf(after)).toEqual(digestsOf(expected));
    expect(after.config.config).toEqual(expected.config.config);
    const { "io.xbuild.key": _, ...annotations } = expected.manifest.annotations ?? {};
    expect(after.manifest.annotations).toEqual(annotations);
    expect(describeHistory(after)).toEqual(describeHistory(expected));
  });

  test("what cannot be meant is refused", async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["app:v1"], "--onto"],
      [["--onto", "base:v2"], "the name of one image"],
      [["app:v1", ...bases, "--push"], "does not name a registry"],
      [
        [`docker://${remote("app:v1")}`, "--onto", "base:v2", "-t", "app"],
        "does not name a registry",
      ],
      [[`docker://${remote("app")}@sha256:${"0".repeat(64)}`, "--onto", "base:v2"], "-t"],
      [["app:v1", "--ontoo", "base:v2"], "did you mean --onto?"],
    ];
    for (const [args, text] of cases) expect((await rebase(args, 125)).stderr).toContain(text);
    const missing = await rebase(["nosuch", "--onto", "base:v2"], 1);
    expect(missing.stderr).toContain("image-not-found");
    const unknown = await rebase(["base:v1", "--onto", "base:v2"], 1);
    expect(unknown.stderr).toContain("rebase-base-unknown");
    const index = await readFile(join(store, "index.json"), "utf8");
    expect(index).not.toContain("nosuch");
  });
});

test("more layers than an engine can run are refused, as a build refuses them", async () => {
  const add = "RUN /layers/bin/layer add";
  const base = `${add} base -C /made lib etc`;
  const each = "mkdir -p /m/$i && /layers/bin/layer add l$i -C /m $i";
  const own = `RUN i=0; while [ $i -lt 126 ]; do i=$((i + 1)); ${each}; done`;
  await buildInStore("many:v1", "1", [base, own]);
  await buildInStore("two:v1", "2", [base, `${add} own -C /made app`]);
  const words = ["many:v1", "--from", "base:v1", "--onto", "two:v1", "-t", "over:v1"];
  const { stderr } = await rebase(words, 1);
  expect(stderr).toContain("error[layers-too-many]: the image would have 128 layers");
  expect(await readFile(join(store, "index.json"), "utf8")).not.toContain("over:v1");
  await rebase([...words, "--max-layers=128"]);
  expect((await inspectStored("over:v1")).manifest.layers).toHaveLength(128);
});

test("nothing is left behind", async () => {
  expect(await listLeftovers(sandbox, store)).toEqual([]);
});
