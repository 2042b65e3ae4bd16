import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { unpackFingerprints, packFingerprints } from "../../../src/oci/fingerprints.ts";
import type { ImageConfig, Manifest } from "../../../src/oci/model.ts";
import {
  buildOnFreshMachine,
  type MachineBuild,
  type MachineOptions,
} from "../../support/machines.ts";
import { pushFirstImage } from "../../support/pushed-image.ts";
import { useRegistry } from "../../support/registry-access.ts";
import { useSandbox } from "../../support/sandbox.ts";
import { forgeImage, type Lie } from "../../support/untrue-image.ts";

// Threat model (b): a previous image says what is not true of its layers.

const sandbox = useSandbox();
const service = useRegistry();

let changed: string;
let context: string;
let name: string;

beforeAll(async () => {
  ({ context, changed, name } = await pushFirstImage(sandbox, service, { count: 3 }));
});

/** The first layer's bytes stand under the diff ID of another archive. */
const otherDiffId: Lie = {
  config: (config: ImageConfig) => {
    const [, ...others] = config.rootfs.diff_ids;
    return {
      ...config,
      rootfs: { ...config.rootfs, diff_ids: [`sha256:${"0".repeat(64)}`, ...others] },
    };
  },
};

/** The first layer has the content of the third, says the image. */
const otherFingerprint: Lie = {
  manifest: (manifest: Manifest) => {
    const [first, ...others] = unpackFingerprints(manifest);
    const annotations = others.at(-1)?.annotations ?? {};
    const layers = [...(first === undefined ? [] : [{ ...first, annotations }]), ...others];
    const packed = packFingerprints(layers);
    return { ...manifest, annotations: { ...manifest.annotations, ...packed.annotations } };
  },
};

const lies = { "a diff ID": otherDiffId, "a fingerprint": otherFingerprint };

/** Pushes an image that lies, and returns its name. */
async function pushLie(lie: Lie, tag: string): Promise<string> {
  const layout = join(sandbox.directory, `forged-${tag}`);
  const forged = await forgeImage(sandbox, `docker://${name}`, layout, lie);
  const target = name.replace(":latest", `:${tag}`);
  await sandbox.exec("skopeo", "copy", "-q", "--preserve-digests", forged, `docker://${target}`);
  return target;
}

function build(args: readonly string[], options: MachineOptions = {}): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, changed, ["-t", "app", ...args], options);
}

async function listNames({ store }: MachineBuild): Promise<string> {
  return readFile(join(store, "index.json"), "utf8").catch(() => "");
}

describe.each(Object.entries(lies))("%s that is not true", (what, lie) => {
  let forged: string;
  beforeAll(async () => {
    forged = await pushLie(lie, what.replaceAll(" ", "-"));
  });

  test.each([
    ["the image is loaded", ["--cache-from"]],
    ["all layers are brought for the build", ["--no-load", "--input=all", "--cache-from"]],
    ["nobody is trusted", ["--no-load", "--trust-cache=none", "--cache-from"]],
  ])("is found when the bytes are here: %s", async (why, args) => {
    // Who trusts nobody does not look at what is said of content.
    const isIgnored = what === "a fingerprint" && why === "nobody is trusted";
    const built = await build([...args, forged], { status: isIgnored ? 0 : 1 });
    if (isIgnored) return;
    expect(built.stderr).toContain("error[image-untrue]");
    expect(built.stderr).toContain(what === "a diff ID" ? "diff ID" : "content");
    expect(built.stderr).toContain("--ignore-cache-errors");
    expect(await listNames(built)).not.toContain("localhost/app");
  });

  test("--ignore-cache-errors makes that layer anew", async () => {
    const built = await build(["--ignore-cache-errors", "--cache-from", forged]);
    expect(built.stderr).toContain("warning[image-untrue]");
    expect(built.layers).toEqual(["p1-1 new", "p2-2 new", "p3-1 kept"]);
    expect(built.metadata.layers.every((layer) => layer.verified)).toBe(true);
  });

  test("by reference it is believed of an image that the user named, and said to be unverified", async () => {
    const target = name.replace(
      "/app:latest",
      `/${what.replaceAll(" ", "-").toLowerCase()}:latest`,
    );
    const flags = ["-t", target, "--push", "--cache-from", forged];
    const built = await buildOnFreshMachine(sandbox, changed, flags);
    expect(built.metadata.layers.map(({ status, verified }) => [status, verified])).toEqual([
      ["kept", false],
      ["new", true],
      ["kept", false],
    ]);
    expect(built.stdout).toMatch(/2 of the kept layers are elsewhere.*not verified/);
  });
});

test("a layout's layers, whose bytes come along, are checked as well", async () => {
  const layout = join(sandbox.directory, "forged-layout");
  const forged = await forgeImage(sandbox, `docker://${name}`, layout, otherDiffId);
  const built = await build(["--no-load", "--cache-from", forged], { status: 1 });
  expect(built.stderr).toContain("error[image-untrue]");
});

test("an image that says it is what would be built is not taken before its layers are checked", async () => {
  const forged = await pushLie(otherDiffId, "same-key");
  const built = await buildOnFreshMachine(sandbox, context, ["-t", "app", "--cache-from", forged], {
    status: 1,
  });
  expect(built.stderr).toContain("error[image-untrue]");
  expect(await listNames(built)).not.toContain("localhost/app");
});

describe("--trust-cache=none", () => {
  test("takes no image for up to date, and keeps layers whose bytes it has looked into", async () => {
    const flags = ["--no-load", "--trust-cache=none", "--cache-from", name];
    const built = await buildOnFreshMachine(sandbox, context, ["-t", "app", ...flags]);
    expect(built.metadata.upToDate).toBe(false);
    expect(built.layers).toEqual(["p1-1 kept", "p2-1 kept", "p3-1 kept"]);
    expect(built.metadata.layers.every((layer) => layer.verified)).toBe(true);
    // What was computed here holds for the next build: it finds the layers by their content.
    const again = await buildOnFreshMachine(
      sandbox,
      context,
      ["-t", "app", "--no-load", "--no-cache"],
      {
        store: built.store,
      },
    );
    expect(again.metadata.digest).toBe(built.metadata.digest);
  });

  test("other words are refused", async () => {
    const built = await build(["--trust-cache=some"], { status: 125 });
    expect(built.stderr).toContain("none, named or all");
  });
});

test("--trust-cache=all takes what named takes", async () => {
  const flags = ["-t", "app", "--no-load", "--trust-cache=all", "--cache-from", name];
  const built = await buildOnFreshMachine(sandbox, context, flags);
  expect(built.metadata.upToDate).toBe(true);
});
