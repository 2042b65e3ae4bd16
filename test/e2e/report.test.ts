import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { reportSchema } from "../../src/cli/report/report-schema.ts";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();

/** A layer for each line of `list`, kept where there is one of that name. */
const files = {
  "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
COPY list /
RUN cat /list | while read -r name; do /layers/bin/layer keep "$name" || \\
    { echo "$name" >/t; /layers/bin/layer add "$name" /t; }; done
`,
};
const packages = Array.from({ length: 40 }, (_, index) => `package-${index}-1.0-1`);

interface Told {
  readonly images: readonly { readonly digest: string }[];
}

function list(...names: readonly string[]): { readonly list: string } {
  return { list: `${names.join("\n")}\n` };
}

function rows({ stdout }: Built): readonly string[] {
  return stdout.split("\n").filter((line) => /^(?:changed|new|removed|kept|base) /.test(line));
}

describe("builds of one image, one after another", () => {
  let project: Project;
  let first: Built;
  let second: Built;
  let third: Built;
  const read = (name: string): Promise<string> => readFile(join(project.context, name), "utf8");

  beforeAll(async () => {
    project = await sandbox.project({
      ...files,
      ...list(...packages),
      ".containerignore": "report*",
    });
    const reports = ["--report=report.json", "--report", "markdown:report-notes"];
    const build = (): Promise<Built> =>
      project.build(["--no-load", ...reports], { cwd: project.context });
    first = await build();
    await project.write(list(...packages.slice(0, -1), "package-39-1.1-1"));
    second = await build();
    await project.write(list(...packages.slice(1, -1), "package-39-1.1-1"));
    third = await build();
  });

  test("the first has nothing to compare with, and says how to name something", () => {
    expect(rows(first)).toHaveLength(21);
    expect(first.stdout).toContain("20 smaller (--layers=all)");
    expect(first.stdout).toContain("previous: none; --cache-from IMAGE names one");
    const told = first.metadata.comparison;
    expect(told?.previous).toBeUndefined();
    expect(told?.new).toHaveLength(40);
    const size = first.metadata.layers.reduce((sum, one) => sum + one.size, 0);
    expect(told?.download).toBe(size);
  });

  test("one package of many changed: its row and a count, and what whoever has the last image downloads", () => {
    expect(rows(second)).toEqual([
      expect.stringMatching(/^changed +\d+ B {2}package-39-1\.1-1 {2}\d+ B {2}package-39-1\.0-1$/),
      expect.stringMatching(/^kept +\S+ kB {2}39 layers$/),
    ]);
    expect(second.stdout).toContain(
      `  previous: ${project.name}@${first.metadata.digest} (the tag, in the store)\n`,
    );
    const told = second.metadata.comparison;
    const [old, now] = [first, second].map((one) => one.metadata.layers.at(-1));
    expect(told).toMatchObject({
      previous: { digest: first.metadata.digest, layers: 40 },
      changed: [{ digest: now?.digest, replaces: { digest: old?.digest } }],
      new: [],
      removed: [],
      download: now?.size,
    });
    expect(second.stdout.trimEnd().split("\n").at(-1)).toBe(second.metadata.configDigest.slice(7));
  });

  test("a keep that was forgotten is removed", async () => {
    expect(rows(third)[0]).toMatch(/^removed +\d+ B {2}package-0-1\.0-1$/);
    expect(third.stdout).toContain(": 1 removed, 39 kept (");
    expect(third.metadata.comparison).toMatchObject({
      removed: [{ name: "package-0-1.0-1" }],
      download: 0,
    });
    const report: unknown = JSON.parse(await read("report.json"));
    expect(reportSchema.parse(report)).toMatchObject({
      names: [project.name],
      digest: third.metadata.digest,
      images: [{ comparison: { removed: [{ name: "package-0-1.0-1" }] } }],
    });
    expect(await read("report-notes")).toContain("| removed | `package-0-1.0-1` |");
  });

  test("the metadata file has buildx's keys", async () => {
    const { digest, configDigest } = third.metadata;
    const blob = await readFile(join(project.store, "blobs", digest.replace(":", "/")));
    expect(third.metadata).toMatchObject({
      "containerimage.digest": digest,
      "containerimage.config.digest": configDigest,
      "containerimage.descriptor": {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest,
        size: blob.byteLength,
      },
      "image.name": project.name,
    });
  });

  test("nothing to do is one line, with --layers=all a table as well", async () => {
    const again = await project.build(["--no-load", "--layers"]);
    expect(again.stdout).toMatch(/^Up to date: \S+, 39 layers .*\n {2}sha256:\S+\n\w{64}\n$/);
    expect(again.metadata.comparison).toBeUndefined();
    const all = await project.build(["--no-load", "--layers=all"]);
    expect(all.stdout.match(/^kept /gm)).toHaveLength(39);
  });

  test("a report on stdout stands there alone", async () => {
    const words = ["--no-load", "-t", project.name, project.context];
    const told = await project.run(["--report=json:-", ...words]);
    assertStatus(told, 0);
    expect(reportSchema.parse(JSON.parse(told.stdout))).toMatchObject({ upToDate: true });
    expect(told.stderr).toContain("Up to date");
    const quiet = await project.run(["--report=markdown:-", "--quiet", ...words]);
    expect(quiet.stdout).toMatch(/^### `/);
  });

  test("what cannot be a report is wrong usage, and nothing is built", async () => {
    for (const flag of ["--report=x", "--layers=some", `--report=json:${project.context}/none/x`]) {
      const refused = await project.fail(125, [flag]);
      expect(refused.builds).toEqual([]);
      expect(refused.stderr).toContain(flag.replace("=", " ").split(" ")[0]);
    }
  });
});

test("what is large in the layer of what no package owns", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
RUN mkdir -p /t/var/cache/apt && head -c 2000000 /dev/zero >/t/var/cache/apt/x && echo >/t/y
OUTPUT /layers
RUN /layers/bin/layer add other -C /t .
`,
  });
  const built = await project.build(["--no-load"]);
  expect(built.stdout).toMatch(/^ +2\.00 MB {2}\/var\/cache\/apt$/m);
  expect(built.metadata.comparison?.new).toMatchObject([
    {
      largest: [
        { path: "var/cache/apt", size: 2_000_000 },
        { path: "y", size: 1 },
      ],
    },
  ]);
});

test("names of layers stay names in Markdown", async () => {
  const name = "<img src=x onerror=alert(1)> | `@user` [a](https://evil.example)";
  const project = await sandbox.project({ ...files, ...list("one"), ".containerignore": "out.md" });
  const options = { cwd: project.context };
  await project.build(["--no-load", "--report=out.md"], options);
  await project.write(list(name));
  await project.build(["--no-load", "--report=out.md"], options);
  const text = await readFile(join(project.context, "out.md"), "utf8");
  const row = text.split("\n").find((line) => line.startsWith("| new |"));
  expect(row).toMatch(
    /^\| new \| `<img src=x onerror=alert\(1\)> \\x7c \\x60@user\\x60 \[a\]\(https:\/\/evil\.example\)` \| [^|`]+ \| {2}\|$/,
  );
});

describe("several images", () => {
  const two = `FROM ${baseImage} AS one
OUTPUT /layers
RUN /layers/bin/layer add one-1 /etc/passwd
FROM ${baseImage} AS two
OUTPUT /layers
RUN /layers/bin/layer add two-1 /etc/group
`;

  test("of several targets one report has all, as bake's has", async () => {
    const project = await sandbox.project({
      "Containerfile.x": two,
      "docker-bake.json": JSON.stringify({
        target: { default: { contexts: {}, target: "two", tags: ["report-two"] } },
      }),
    });
    const options = { cwd: project.context };
    const reports = ["--report=../all.json", "--report=markdown:-"];
    const targets = ["--target=one", "-t", "report-one", "--target=two", "-t", "report-two"];
    const built = await project.run(["--no-load", ...reports, ...targets, "."], options);
    assertStatus(built, 0);
    const report: unknown = JSON.parse(
      await readFile(join(project.context, "../all.json"), "utf8"),
    );
    expect(reportSchema.parse(report)).toMatchObject({
      one: { names: ["localhost/report-one:latest"], images: [{ layers: [{ name: "one-1" }] }] },
      two: { images: [{ comparison: { new: [{ name: "two-1" }] } }] },
    });
    expect(built.stdout).toMatch(
      /^## `one`\n\n### `localhost\/report-one:latest`\n[^]*^## `two`$/m,
    );
    expect(built.stderr).toContain("Collecting layers");
    const baked = await project.run(["bake", "--report=json:-", "--", "--no-load"], options);
    assertStatus(baked, 0);
    expect(reportSchema.parse(JSON.parse(baked.stdout))).toMatchObject({
      default: { upToDate: true },
    });
  });

  test("of several platforms each tells what became of its layers", async () => {
    const project = await sandbox.project({ ...files, ...list("a-1") });
    const words = ["--no-load", "--pull=never", "--report=json:../platforms.json"];
    const platforms = ["--platform=linux/amd64,linux/386", "-t", project.name, "."];
    const file = files["Containerfile.x"].replace("FROM", "FROM --platform=$BUILDPLATFORM");
    await project.write({ "Containerfile.x": file });
    const options = { cwd: project.context };
    assertStatus(await project.run([...words, ...platforms], options), 0);
    const first = await readFile(join(project.context, "../platforms.json"), "utf8");
    const firstReport: Told = JSON.parse(first);
    await project.write(list("a-2"));
    const built = await project.run([...words, ...platforms], options);
    assertStatus(built, 0);
    expect(built.stdout.match(/^changed .*a-2 .*a-1$/gm)).toHaveLength(2);
    const text = await readFile(join(project.context, "../platforms.json"), "utf8");
    const report = reportSchema.parse(JSON.parse(text));
    const second: Told = JSON.parse(text);
    const before = firstReport.images.map(({ digest }) => ({
      comparison: { previous: { digest } },
    }));
    expect(report).toMatchObject({ images: before });
    // What one platform's build made is another's, too, whose name moves then.
    await project.write(list("a-3"));
    const one = async (platform: string, name: string): Promise<string> => {
      const line = ["--no-load", "--pull=never", `--platform=${platform}`, "-t", name, "."];
      const outcome = await project.run(line, options);
      assertStatus(outcome, 0);
      return outcome.stdout;
    };
    expect(await one("linux/amd64", "other")).toContain(
      `previous: ${second.images[0]?.digest} (the last build of this file)`,
    );
    const adapted = await one("linux/386", project.name);
    expect(adapted).toMatch(/^changed .*a-3 .*a-2$/m);
    expect(adapted).toContain(`@${second.images[1]?.digest} (the tag`);
    const change = { changed: [{ name: "a-2", replaces: { name: "a-1" } }] };
    expect(report).toMatchObject({
      images: [
        { platform: { architecture: "amd64" }, comparison: change },
        { platform: { architecture: "386" }, comparison: change },
      ],
    });
  });
});

test("without OUTPUT the engine's --layers is the engine's, and ours is left out", async () => {
  const project = await sandbox.project({ Containerfile: `FROM ${baseImage}\nLABEL a=b\n` });
  const words = ["-t", project.name, project.context];
  const built = await project.run(["--layers=all", "--layers=false", ...words]);
  assertStatus(built, 0);
  expect(built.builds[0]).toContain(" --layers=false ");
  expect(built.builds[0]).not.toContain("--layers=all");
  const refused = await project.run(["--report=x.json", ...words]);
  expect(refused).toMatchObject({ status: 125, builds: [] });
});
