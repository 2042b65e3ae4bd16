import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { debianImage, importDebian } from "../support/debian.ts";
import type { Built, Project } from "../support/project.ts";
import { useSandbox } from "../support/sandbox.ts";

// The main job on real input: real Debian packages, a layer each.

const sandbox = useSandbox();
let example: Project;
const epoch = { SOURCE_DATE_EPOCH: "1700000000" };

beforeAll(async () => {
  await importDebian(sandbox);
  example = await sandbox.project();
  await cp("examples/debian-packages", example.context, { recursive: true });
});

function digests(built: Built): readonly string[] {
  return built.metadata.layers.map((layer) => `${layer.name} ${layer.digest}`);
}

/** What a layer holds, times aside: the listing and the checksums of its files. */
async function describeLayer(project: Project, digest: string): Promise<string> {
  const blob = join(project.store, "blobs", digest.replace(":", "/"));
  const script =
    'tar -tvzf "$1" --full-time --numeric-owner | sed -E "s/ [0-9-]{10} [0-9:]{8} / /"; tar -xOzf "$1" | sha256sum';
  return sandbox.exec("sh", "-c", script, "sh", blob);
}

test("the example: over 90 layers; nothing changed; one more package; the same digests again", async () => {
  const base = ["--build-arg", `BASE=${debianImage}`];
  const first = await example.build(["--no-load", ...base], { env: epoch });
  expect(first.metadata.layers.length).toBeGreaterThan(90);

  const again = await example.build(["--no-load", ...base], { env: epoch });
  expect(again.builds).toEqual([]);
  expect(again.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });

  const more = [...base, "--build-arg", "PACKAGES=nginx-light hello"];
  const second = await example.build(more, { env: epoch });
  await expectExactlyChanged(first, second);
  expect(second.layers.some((layer) => /^hello-.* new$/.test(layer))).toBe(true);
  const said = await sandbox.exec("podman", "run", "--rm", "--network=none", example.name, "hello");
  expect(said).toContain("Hello, world!");

  // A fresh machine: neither our store nor the engine's cache.
  await rm(example.store, { recursive: true });
  await sandbox.exec("buildah", "rmi", "--force", example.name);
  const anew = await example.build(["--no-load", ...more], { env: epoch });
  // The order is that of the image before, where there is one.
  expect(digests(anew).toSorted()).toEqual(digests(second).toSorted());
});

/** Every layer whose content is not among the first image's is new, and no other one is. */
async function expectExactlyChanged(first: Built, second: Built): Promise<void> {
  const before = new Set(
    await Promise.all(first.metadata.layers.map((one) => describeLayer(example, one.digest))),
  );
  for (const layer of second.metadata.layers) {
    const known = before.has(await describeLayer(example, layer.digest));
    expect(`${layer.name} ${layer.status === "new" ? "new" : "kept"}`).toBe(
      `${layer.name} ${known ? "kept" : "new"}`,
    );
  }
}

test("another version of one package: its layer and dpkg's own records are new, nothing else", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${debianImage}
COPY tool.deb /tmp/
RUN dpkg -i /tmp/tool.deb && rm /tmp/tool.deb /var/log/dpkg.log
OUTPUT --inherit-config /layers
RUN /layers/bin/layer split dpkg /
CMD ["tool"]
`,
  });
  await buildPackage(project, "1.0");
  const first = await project.build(["--no-load"]);
  await buildPackage(project, "1.1");
  const second = await project.build();
  const fresh = second.metadata.layers.filter((layer) => layer.status === "new");
  expect(fresh.some((layer) => layer.name.startsWith("tool-1.1"))).toBe(true);
  const old = new Map(first.metadata.layers.map((layer) => [layer.digest, layer.name]));
  const kept = second.metadata.layers.filter((layer) => layer.status !== "new");
  expect(kept.every((layer) => old.get(layer.digest) === layer.name)).toBe(true);
  // Beside the package: what no package owns, which holds dpkg's database.
  expect(fresh.length).toBeLessThanOrEqual(2);
  expect(await sandbox.exec("podman", "run", "--rm", "--network=none", project.name)).toBe(
    "tool 1.1",
  );
});

async function buildPackage(project: Project, version: string): Promise<void> {
  const root = join(sandbox.directory, `tool-${version}`);
  await mkdir(join(root, "DEBIAN"), { recursive: true });
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await writeFile(
    join(root, "DEBIAN/control"),
    `Package: tool\nVersion: ${version}\nArchitecture: all\nMaintainer: Someone <someone@example.org>\nDescription: a tool\n`,
  );
  await writeFile(join(root, "usr/bin/tool"), `#!/bin/sh\necho tool ${version}\n`, { mode: 0o755 });
  await sandbox.exec("dpkg-deb", "--build", root, join(project.context, "tool.deb"));
}
