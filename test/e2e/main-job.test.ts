import { describe, expect, test } from "vitest";
import { testedEngines } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();

const files = {
  "Containerfile.x": `FROM ${baseImage}
RUN mkdir /app && echo one > /app/one && echo two > /app/two
OUTPUT --inherit-config /layers
COPY three /app/three
RUN for name in one two three; do /layers/bin/layer add "$name" "/app/$name"; done
RUN /layers/bin/layer add busybox /bin /etc /tmp
CMD ["/bin/cat", "/app/three"]
`,
  three: "three\n",
};

describe.each(testedEngines)("engine %s", (engine) => {
  test("a first build, nothing changed, one thing changed", async () => {
    const project = await sandbox.project(files);
    const first = await project.build(["--engine", engine]);
    expect(first.metadata).toMatchObject({ names: [project.name], upToDate: false });
    expect(first.metadata.platform).toMatchObject({ os: "linux" });
    expect(first.layers).toEqual(["one new", "two new", "three new", "busybox new"]);
    expect(first.builds.every((call) => call.startsWith(`${engine} `))).toBe(true);
    expect(await project.findLoaded()).toBe(first.metadata.configDigest.slice(7));

    const again = await project.build(["--engine", engine]);
    expect(again.builds).toEqual([]);
    expect(again.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(again.layers).toEqual(["one kept", "two kept", "three kept", "busybox kept"]);

    await project.write({ three: "3\n" });
    const changed = await project.build(["--engine", engine]);
    expect(changed.layers).toEqual(["one equal", "two equal", "three new", "busybox equal"]);
    expect(changed.metadata.layers.map((one) => one.digest)).toEqual(
      first.metadata.layers.map((one, index) =>
        index === 2 ? changed.metadata.layers[2]?.digest : one.digest,
      ),
    );
    expect(await runEverywhere(project.name)).toEqual(["3", "3"]);
  });

  test("the same digests with a fresh store and an epoch", async () => {
    const project = await sandbox.project(files);
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    const first = await project.build(["--engine", engine], { env });
    const other = await sandbox.project(files);
    const second = await other.build(["--engine", engine, "--no-cache"], { env });
    expect(second.metadata.layers).toEqual(first.metadata.layers);
    expect(second.image.config).toEqual(first.image.config);
    expect(second.metadata.configDigest).toBe(first.metadata.configDigest);
    expect(first.image.config.created).toBe("2023-11-14T22:13:20Z");
  });
});

test("XBUILD_ENGINE names the engine of every command", async () => {
  const project = await sandbox.project(files);
  const env = { XBUILD_ENGINE: "podman" };
  const built = await project.build([], { env });
  expect(built.builds).toHaveLength(2);
  const words = ["--no-such-flag", project.context];
  const refused = await project.run(words, { env });
  expect(refused.calls).toContain("podman build --help");
  const pruned = await project.run(["cache", "prune"], { env });
  assertStatus(pruned, 0);
  const checked = await project.run(["check", project.context], { env });
  expect(checked.calls).toEqual(["podman --version"]);
  const expanded = await project.run(["expand", project.context], { env });
  expect(expanded.stdout).toMatch(/^podman build /m);
  const calls = [built, refused, pruned, expanded].flatMap((one) => one.calls);
  expect(calls.filter((call) => call.startsWith("buildah "))).toEqual([]);
  const unknown = await project.run([project.context], { env: { XBUILD_ENGINE: "docker" } });
  expect(unknown).toMatchObject({ status: 125, calls: [] });
  expect(unknown.stderr).toContain("XBUILD_ENGINE cannot be docker");
});

/** The image's command, by buildah from its storage and by podman. */
async function runEverywhere(name: string): Promise<readonly string[]> {
  const container = await sandbox.exec("buildah", "from", "--pull-never", name);
  try {
    const buildah = await sandbox.exec("buildah", "run", container, "--", "cat", "/app/three");
    const podman = await sandbox.exec("podman", "run", "--rm", "--network=none", name);
    return [buildah, podman];
  } finally {
    await sandbox.exec("buildah", "rm", container);
  }
}

test("the store is a layout that skopeo reads by the image's name", async () => {
  const project = await sandbox.project(files);
  const built = await project.build();
  const inspected: { Digest: string; Layers: readonly string[] } = JSON.parse(
    await sandbox.exec("skopeo", "inspect", `oci:${project.store}:${project.name}`),
  );
  expect(inspected.Digest).toBe(built.metadata.digest);
  expect(inspected.Layers).toEqual(built.metadata.layers.map((layer) => layer.digest));
});

test("a build that the engine has cached runs its layering steps again", async () => {
  const project = await sandbox.project(files);
  const first = await project.build();
  const second = await project.build(["--no-cache"]);
  expect(second.builds).toHaveLength(2);
  expect(second.metadata.upToDate).toBe(false);
  expect(second.metadata.digest).toBe(first.metadata.digest);
  expect(second.layers.every((layer) => layer.endsWith(" equal"))).toBe(true);
});

test("an image that is gone from the engine's storage is loaded again without a build", async () => {
  const project = await sandbox.project(files);
  const first = await project.build();
  await sandbox.exec("buildah", "rmi", project.name);
  const second = await project.build();
  expect(second.builds).toEqual([]);
  expect(await project.findLoaded()).toBe(first.metadata.configDigest.slice(7));
});

test.each([
  ["Containerfile.x", ["Containerfile.x", "Containerfile", "Dockerfile"]],
  ["Containerfile", ["Containerfile", "Dockerfile"]],
  ["Dockerfile", ["Dockerfile"]],
])("%s is found first among %s", async (found, names) => {
  const texts = names.map((name) => [
    name,
    `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add ${name} /etc/passwd\n`,
  ]);
  const project = await sandbox.project(Object.fromEntries(texts));
  expect((await project.build()).layers).toEqual([`${found} new`]);
});

test("-f names a file of the context, or is standard input", async () => {
  const text = `FROM ${baseImage}\nOUTPUT /layers\nCOPY three /three\nRUN /layers/bin/layer add three /three\n`;
  const project = await sandbox.project({ three: "3", "other.x": text });
  const named = await project.build(["-f", "other.x"]);
  expect(named.layers).toEqual(["three new"]);
  const piped = await project.build(["-f", "-"], { input: text });
  expect(piped.metadata).toMatchObject({ upToDate: true, digest: named.metadata.digest });
});

test("a context that is named like a command", async () => {
  const project = await sandbox.project({
    "parse/Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add three /etc/passwd\n`,
  });
  for (const words of [["./parse"], ["build", "parse"]]) {
    const outcome = await project.run(["--no-load", "--quiet", ...words], { cwd: project.context });
    assertStatus(outcome, 0);
    expect(outcome.stdout).toMatch(/^[0-9a-f]{64}\n$/);
  }
});
