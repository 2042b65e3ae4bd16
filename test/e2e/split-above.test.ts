import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compareTrees, type Tree } from "../layer-helper/oracle.ts";
import { readTimeless } from "../layer-helper/stack.ts";
import { importDebian, debianImage } from "../support/debian.ts";
import type { Built, Project } from "../support/project.ts";
import { useSandbox } from "../support/sandbox.ts";

// layer split --above: a real Debian below, by reference, and what apt or anybody else did above it.

const sandbox = useSandbox();
const os = "localhost/os:latest";
const updated = "localhost/updated:latest";
let project: Project;
let base: Built;

function containerfile(from: string, more = ""): string {
  const mount = `--mount=type=bind,from=${os},target=/base`;
  return `FROM ${from}
OUTPUT --from=${os} --inherit-config /layers
RUN ${mount} ${more}/layers/bin/layer split --above /base auto /
`;
}

beforeAll(async () => {
  await importDebian(sandbox);
  project = await sandbox.project({
    "Os.x": `FROM ${debianImage}
COPY tool_1.deb other_1.deb /tmp/
RUN dpkg -i /tmp/*.deb && rm /tmp/*.deb /var/log/dpkg.log
OUTPUT --inherit-config /layers
RUN /layers/bin/layer split --max 4 dpkg /
`,
    "Updated.x": `FROM ${os}
COPY tool_2.deb new_1.deb /tmp/
RUN dpkg -i /tmp/*.deb && dpkg --purge other && rm -r /tmp/*.deb /var/log/dpkg.log /usr/share/doc/bash
`,
    "Same.x": containerfile(os),
    "Containerfile.x": containerfile(updated),
    "Baseless.x": containerfile(os).replace(`--from=${os} `, ""),
  });
  await makePackage("tool", "1", ["usr/bin/tool", "usr/share/tool/old"]);
  await makePackage("tool", "2", ["usr/bin/tool", "usr/share/tool/new"]);
  await makePackage("other", "1", ["usr/share/other/a", "usr/share/other/b"]);
  await makePackage("new", "1", ["usr/share/new/file"]);
  base = await project.build(["-t", os, "-f", join(project.context, "Os.x")]);
  const file = join(project.context, "Updated.x");
  const words = ["--quiet", "--layers=false", "-f", file, "-t", updated, project.context];
  await sandbox.exec("buildah", "build", ...words);
});

async function makePackage(name: string, version: string, paths: readonly string[]): Promise<void> {
  const root = join(sandbox.directory, `${name}-${version}`);
  const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Someone <someone@example.org>\nDescription: a test\n`;
  for (const [path, text] of [
    ["DEBIAN/control", control],
    ...paths.map((one) => [one, `${one} of ${version}\n`] as const),
  ] as const) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const deb = join(project.context, `${name}_${version}.deb`);
  await sandbox.exec("dpkg-deb", "--root-owner-group", "--build", root, deb);
}

/** Where engines mount files of their own, they leave empty ones. */
const mounted = new Set(["etc/hostname", "etc/hosts", "etc/resolv.conf"]);

/** The image's files as the engine shows them. */
async function readImage(name: string): Promise<Tree> {
  const container = (await sandbox.exec("buildah", "from", "--pull-never", name)).trim();
  try {
    const tree = readTimeless((await sandbox.exec("buildah", "mount", container)).trim());
    return new Map([...tree].filter(([path]) => !mounted.has(path)));
  } finally {
    await sandbox.exec("buildah", "rm", container);
  }
}

const digests = ({ metadata }: Built): readonly string[] =>
  metadata.layers.map((layer) => layer.digest);

/** The layers above the base, whose own are what they were. */
function listAbove(built: Built): readonly string[] {
  const count = base.metadata.layers.length;
  expect(digests(built).slice(0, count)).toEqual(digests(base));
  expect(built.metadata.layers.slice(0, count).map(({ status }) => status)).toEqual(
    Array.from({ length: count }, () => "base"),
  );
  return built.layers.slice(count);
}

test("an upgrade, an arrival and a removal above a base are layers of their own, and the rest is the base's", async () => {
  const built = await project.build();
  expect(listAbove(built)).toEqual(["tool-2 new", "new-1 new", "removed new", "dpkg-database new"]);
  const above = built.metadata.layers.slice(base.metadata.layers.length);
  expect(above.map(({ size }) => size).reduce((sum, size) => sum + size)).toBeLessThan(1024 ** 2);
  const expected = await readImage(updated);
  expect(compareTrees(expected, await readImage(project.name))).toEqual([]);
  expect(expected.get("usr/share/tool/old")).toBeUndefined();
  expect(expected.get("usr/share/doc/bash")).toBeUndefined();

  // The steps run again: what they would write is known to be there.
  await project.write({ "Containerfile.x": containerfile(updated, "true again; ") });
  const again = await project.build();
  expect(again.builds).not.toEqual([]);
  expect(listAbove(again)).toEqual([
    "tool-2 kept",
    "new-1 kept",
    "removed kept",
    // The base has a layer of that name, too: its state is not believed, and it is read again.
    "dpkg-database equal",
  ]);
  expect(digests(again)).toEqual(digests(built));
});

test("where nothing differs the image is the base's layers", async () => {
  const built = await project.build(["-f", join(project.context, "Same.x"), "--no-load"]);
  expect(listAbove(built)).toEqual([]);
  expect(built.stderr).not.toMatch(/warning|error/);
});

test("without --from the step fails, and says what to do", async () => {
  const failed = await project.fail(1, ["-f", join(project.context, "Baseless.x")]);
  expect(failed.stderr).toMatch(
    /layer: --above has no image below, .*OUTPUT --from=IMAGE \/layers/,
  );
});
