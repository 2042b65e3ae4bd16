import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import type { EngineFeature } from "../../src/containerfile/containerfile.ts";
import {
  describeVersion,
  type EngineTrait,
  type EngineVersion,
} from "../../src/engine/versions.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// The table of engines' versions (src/engine/versions.ts), each row of it asked of the installed engine.

const sandbox = useSandbox();
let context = "";

beforeAll(async () => {
  context = join(sandbox.directory, "versions");
  await mkdir(context);
  await writeFile(join(context, "file"), "1");
});

/** What has the feature. */
const lines: Readonly<Record<EngineFeature, string>> = {
  heredocs: "COPY <<EOF /heredoc\nx\nEOF",
  "--checksum": `ADD --checksum=sha256:${"0".repeat(64)} file /x`,
  "--exclude": "COPY --exclude=x file /x",
  "--keep-git-dir": "ADD --keep-git-dir=true file /x",
  "--link": "COPY --link file /x",
  "--network": "RUN --network=none true",
  "--parents": "COPY --parents file /x/",
  "--security": "RUN --security=sandbox true",
  "--start-interval": "HEALTHCHECK --start-interval=1s CMD true",
  "--unpack": "ADD --unpack=true file /x",
};

describe.each(["buildah", "podman"] as const)("%s", (engine) => {
  let version: EngineVersion;
  beforeAll(async () => {
    version = describeVersion(engine, await sandbox.exec(engine, "--version"));
  });

  const build = async (text: string, args: readonly string[] = []) => {
    const file = join(sandbox.directory, "Containerfile.versions");
    await writeFile(file, `FROM ${baseImage}\n${text}\n`);
    const words = ["build", "--quiet", "--layers=false", ...args, "--file", file, context];
    return execa(engine, words, { env: sandbox.env, reject: false });
  };

  test.each(Object.entries(lines))("a Containerfile with %s", async (feature, line) => {
    const { exitCode, stderr } = await build(line);
    // `--checksum` is for what is fetched alone, and an engine that knows it says so.
    const isKnown = exitCode === 0 || stderr.includes("not supported for local sources");
    const isRefused = /only supports|is not supported$|not defined|<<EOF/m.test(stderr);
    const isLacking = version.lacks.has(feature);
    expect({ stderr, isKnown, isRefused }).toEqual({
      stderr,
      isKnown: !isLacking,
      isRefused: isLacking,
    });
  });

  test.each([
    ["argumentFiles", "build-arg-file"],
    ["epochIsTime", "source-date-epoch"],
    ["metadataFile", "metadata-file"],
  ] as const)("%s: --%s", async (trait: EngineTrait, flag) => {
    const help = await sandbox.exec(engine, "build", "--help");
    expect(new RegExp(`--${flag}\\b`).test(help)).toBe(version.has(trait));
  });

  test("imageVariants: an image in OCI's format is found by the variant of its config", async () => {
    const image = `localhost/variant-${engine}`;
    const directory = join(sandbox.directory, `variant-${engine}`);
    await sandbox.exec(
      "skopeo",
      "copy",
      "--quiet",
      `containers-storage:${baseImage}`,
      `oci:${directory}`,
    );
    await setVariant(directory, { architecture: "arm", variant: "v6" });
    await sandbox.exec(
      "skopeo",
      "copy",
      "--quiet",
      `oci:${directory}`,
      `containers-storage:${image}`,
    );
    const file = join(sandbox.directory, "Containerfile.variant");
    await writeFile(file, `FROM --platform=linux/arm/v6 ${image}\nCOPY file /x\n`);
    const words = ["build", "--quiet", "--layers=false", "--pull=false", "--file", file, context];
    const { exitCode, stderr } = await execa(engine, words, { env: sandbox.env, reject: false });
    expect({ stderr, found: exitCode === 0 }).toEqual({
      stderr,
      found: version.has("imageVariants"),
    });
  });

  test("epochIsTime: refused beside --timestamp", async () => {
    const args = ["--timestamp=1", "--build-arg=SOURCE_DATE_EPOCH=1"];
    const { exitCode, stderr } = await build("ARG SOURCE_DATE_EPOCH", args);
    expect({ stderr, refused: exitCode !== 0 }).toEqual({
      stderr,
      refused: version.has("epochIsTime"),
    });
  });
});

/** Changes what the config of the only image of a layout says. */
async function setVariant(directory: string, platform: object): Promise<void> {
  const change = async (file: string, replace: (document: object) => object): Promise<string> => {
    const document: object = JSON.parse(await readFile(file, "utf8"));
    const bytes = Buffer.from(JSON.stringify(replace(document)));
    const digest = digestBytes(bytes);
    await writeFile(join(directory, "blobs", digest.replace(":", "/")), bytes);
    return JSON.stringify({ digest, size: bytes.byteLength });
  };
  const find = (descriptor: { readonly digest: string }): string =>
    join(directory, "blobs", descriptor.digest.replace(":", "/"));
  const path = join(directory, "index.json");
  const index = JSON.parse(await readFile(path, "utf8"));
  const [entry] = index.manifests;
  const manifest = JSON.parse(await readFile(find(entry), "utf8"));
  const config = await change(find(manifest.config), (one) => ({ ...one, ...platform }));
  Object.assign(manifest.config, JSON.parse(config));
  const changed = await change(find(entry), () => manifest);
  Object.assign(entry, JSON.parse(changed));
  await writeFile(path, JSON.stringify(index));
}
