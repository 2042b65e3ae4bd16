import { execFileSync } from "node:child_process";
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

  test("epochIsTime: refused beside --timestamp", async () => {
    const args = ["--timestamp=1", "--build-arg=SOURCE_DATE_EPOCH=1"];
    const { exitCode, stderr } = await build("ARG SOURCE_DATE_EPOCH", args);
    expect({ stderr, refused: exitCode !== 0 }).toEqual({
      stderr,
      refused: version.has("epochIsTime"),
    });
  });
});

describe("heredocs", () => {
  const buildah = describeVersion(
    "buildah",
    execFileSync("buildah", ["--version"], { encoding: "utf8" }),
  );
  const text = `FROM ${baseImage}
RUN <<EOF
echo one > /one
EOF
OUTPUT /layers
COPY <<EOF /two
two
EOF
RUN <<EOF
cat /one /two > /told
/layers/bin/layer add told /told
EOF
`;

  test.skipIf(buildah.lacks.has("heredocs"))("before and behind OUTPUT", async () => {
    const project = await sandbox.project({ "Containerfile.x": text });
    const built = await project.build(["--no-load"]);
    expect(await readFile(join(built.image.files, "told"), "utf8")).toBe("one\ntwo\n");
    expect(built.stderr).not.toContain("engine-version");
  });

  test.runIf(buildah.lacks.has("heredocs"))("are warned of", async () => {
    const project = await sandbox.project({ "Containerfile.x": text });
    const failed = await project.run(["-t", project.name, project.context]);
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toContain("install buildah 1.33 or later");
  });
});
