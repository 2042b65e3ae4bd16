import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type AttestedImage,
  type AttestedOptions,
  writeAttestedLayout,
} from "../support/attested-layout.ts";
import { buildOnFreshMachine } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Previous images that are indexes as BuildKit pushes them: images, and what is said of them.

const sandbox = useSandbox();
const service = useRegistry();

let context: string;
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = join(sandbox.directory, "context");
  await mkdir(context);
  const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN for n in one two; do /layers/bin/layer keep $n || /layers/bin/layer add $n /etc; done\n`;
  await writeFile(join(context, "Containerfile.x"), text);
});

const own = { architecture: process.arch === "arm64" ? "arm64" : "amd64", layers: ["one", "two"] };
const other = { architecture: "s390x", layers: ["three", "four"] };
const whole = { platforms: true, attestations: true };

type Form = readonly [string, readonly AttestedImage[], AttestedOptions];

const forms: readonly Form[] = [
  ["several images and their attestations", [other, own], whole],
  ["one image and its attestation", [own], whole],
  ["one image without platform, and its attestation", [own], { ...whole, platforms: false }],
  ["one image without platform alone", [own], { platforms: false, attestations: false }],
  ["several images without platforms", [other, own], { ...whole, platforms: false }],
];

let number = 0;

async function writeLayout([, images, options]: Form): Promise<string> {
  number += 1;
  const directory = join(sandbox.directory, `layout-${number}`);
  await writeAttestedLayout(directory, images, options);
  return directory;
}

async function push(layout: string): Promise<string> {
  const name = `${service.proxy.host}/attested/app${number}:latest`;
  await sandbox.exec("skopeo", "copy", "-q", "--all", `oci:${layout}:x`, `docker://${name}`);
  return name;
}

describe.each(forms)("%s", (...form) => {
  test("in a layout, and in an archive of it", async () => {
    const layout = await writeLayout(form);
    const archive = `${layout}.tar`;
    await sandbox.exec("tar", "-cf", archive, "-C", layout, ".");
    for (const reference of [`oci:${layout}:x`, `oci:${layout}`, `oci-archive:${archive}:x`]) {
      const words = ["-t", "app", "--no-load", "--cache-from", reference];
      const { layers } = await buildOnFreshMachine(sandbox, context, words);
      expect([reference, layers]).toEqual([reference, ["one kept", "two kept"]]);
    }
  });

  test("in a registry: by --cache-from, and as the tag that is pushed", async () => {
    const name = await push(await writeLayout(form));
    const words = ["-t", "app", "--no-load", "--cache-from", name];
    expect((await buildOnFreshMachine(sandbox, context, words)).layers).toEqual([
      "one kept",
      "two kept",
    ]);
    const pushed = await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"]);
    expect(pushed.layers).toEqual(["one kept", "two kept"]);
  });

  test("in the store, where another tool has put it", async () => {
    const layout = await writeLayout(form);
    const store = join(sandbox.directory, `store-${number}`);
    await cp(layout, store, { recursive: true });
    const index = await readFile(join(store, "index.json"), "utf8");
    await writeFile(join(store, "index.json"), index.replace('"x"', '"localhost/app:latest"'));
    const words = ["-t", "app", "--no-load"];
    const { layers } = await buildOnFreshMachine(sandbox, context, words, { store });
    expect(layers).toEqual(["one kept", "two kept"]);
  });
});

test.each(["oci:", "oci-archive:", "docker://"])(
  "%s without an image of the platform: an error that names what there is",
  async (transport) => {
    number += 1;
    const layout = join(sandbox.directory, `layout-${number}`);
    await writeAttestedLayout(layout, [other], whole);
    await sandbox.exec("tar", "-cf", `${layout}.tar`, "-C", layout, ".");
    const places = {
      "oci:": `oci:${layout}:x`,
      "oci-archive:": `oci-archive:${layout}.tar:x`,
      "docker://": await push(layout),
    };
    const reference = new Map(Object.entries(places)).get(transport) ?? "";
    const words = ["-t", "app", "--no-load", "--cache-from", reference];
    const { stderr, builds } = await buildOnFreshMachine(sandbox, context, words, { status: 1 });
    expect(stderr).toContain("error[image-unsupported]");
    expect(stderr).toContain(`no image for linux/${own.architecture}, but for linux/s390x`);
    expect(stderr).not.toContain("unknown/unknown");
    expect(builds).toEqual([]);
  },
);
