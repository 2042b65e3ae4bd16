import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { useBuildKit } from "../support/buildkit.ts";
import type { ProjectFiles } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { chooseBuilder, createKitProject, type KitProject, pushBase } from "./kit-project.ts";

// Where BuildKit would take one thing for another: names, files that look as before, words in what a step says.

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
const buildKit = useBuildKit();
let base: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  base = await pushBase(sandbox, service.proxy.host);
});

function project(files: ProjectFiles, builder = buildKit.address): Promise<KitProject> {
  const env = { ...buildKit.env, ...chooseBuilder(sandbox, buildKit, builder) };
  return createKitProject(sandbox, files, env);
}

const layer = "/layers/output/layers";

test("a stage with the name of its image is that stage", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN mkdir -p ${layer}/a && cp -r /bin ${layer}/a/\n`,
  });
  await app.build(["-t", "alpine"]);
  await app.write({
    "Containerfile.x": `FROM alpine AS alpine
RUN echo installed > /installed
FROM alpine
OUTPUT /layers
RUN mkdir ${layer}/b && cp /installed ${layer}/b/
`,
  });
  expect((await app.build()).layers).toEqual(["b new"]);
});

test.each(["xbuild-layers", "xbuild-stage-0", "XBUILD-image-0"])(
  "a name of ours is no stage's and no context's: %s",
  async (name) => {
    const rest = `OUTPUT /layers\nRUN mkdir ${layer}/a\n`;
    const app = await project({ "Containerfile.x": `FROM ${base} AS ${name}\n${rest}` });
    expect((await app.fail(125)).stderr).toContain("cannot be used with BuildKit");
    await app.write({ "Containerfile.x": `FROM ${base}\n${rest}` });
    const { stderr } = await app.fail(125, [`--build-context=${name}=${app.context}`]);
    expect(stderr).toContain("cannot be used with BuildKit");
  },
);

test("contexts are what they are, whatever they are called", async () => {
  const names = ["context", "dockerfile", "xbuild", "source-0", "a.b/c"];
  const mounts = names.map((name, at) => `--mount=type=bind,from=${name},target=/c${at}`).join(" ");
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nCOPY own /own\nRUN ${mounts} mkdir ${layer}/a && cat /own /c?/f > ${layer}/a/all && cat ${layer}/a/all && sleep 0.5\n`,
    own: "of the context\n",
    ...Object.fromEntries(names.map((name, at) => [`d${at}/f`, `of ${name}\n`])),
  });
  const contexts = names.map(
    (name, at) => `--build-context=${name}=${join(app.context, `d${at}`)}`,
  );
  const { stdout } = await app.build(contexts);
  expect(stdout).toContain(`of the context\n${names.map((name) => `of ${name}\n`).join("")}`);
});

test.each(["buildctl", "buildx"])(
  "a file that changed and looks as before is sent, by %s",
  async (by) => {
    const app = await project(
      {
        "Containerfile.x": `FROM ${base}\nCOPY data /data\nOUTPUT /layers\nRUN mkdir ${layer}/a && cp /data ${layer}/a/ && echo "it is $(cat /data)" && sleep 0.5\n`,
      },
      by === "buildctl" ? buildKit.address : buildKit.builder,
    );
    for (const text of ["AAAA", "BBBB", "CCCC", "DDDD"]) {
      await writeFile(join(app.context, "data"), text);
      await utimes(join(app.context, "data"), 1_000_000_000, 1_000_000_000);
      const built = await app.build();
      expect(built.stdout).toContain(`it is ${text}`);
    }
  },
);

test("what the last build kept for this one is what it finds", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}
ARG N
OUTPUT /layers
RUN echo "state is $(cat /layers/input/state/n 2>/dev/null)"; sleep 0.5; mkdir -p ${layer}/a /layers/output/state && echo $N > /layers/output/state/n && touch -d @1000000000 /layers/output/state/n && echo $N > ${layer}/a/n
`,
  });
  await app.build(["--build-arg=N=1"]);
  for (const n of [2, 3, 4, 5])
    expect((await app.build([`--build-arg=N=${n}`])).stdout).toContain(`state is ${n - 1}\n`);
});

test.each([
  ["exit code: 0", "step-failed"],
  ["did not complete successfully: exit code: 0", "step-failed"],
  ["transport is closing", "step-failed"],
  ["is not allowed network.host", "step-failed"],
])("a file that is called %j says nothing of a failure", async (name, code) => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nCOPY ["${name}", "/x"]\nOUTPUT /layers\nRUN mkdir ${layer}/a\n`,
  });
  const { stderr } = await app.fail(1);
  expect(stderr).toContain(`error[${code}]`);
});

test("a stage may be called as what is the builder's own", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base} AS context\nOUTPUT /layers\nRUN echo seen; sleep 14; mkdir ${layer}/a\n`,
  });
  const { stdout } = await app.build([], { env: { XBUILD_STALL_TIMEOUT: "10" } });
  expect(stdout).toMatch(/^seen$/m);
});

test("what must not be seen stands in no line, also where a step has a part of it", async () => {
  const steps = `FROM ${base}\nARG TOKEN\nOUTPUT /layers\nRUN echo \${TOKEN#tok_} | wc -c; mkdir ${layer}/a\n`;
  const app = await project({ "Containerfile.x": steps });
  const env = { TOKEN: "tok_SECRETVALUE" };
  const words = ["--build-arg=TOKEN", "--redact=TOKEN"];
  const built = await app.build(words, { env });
  expect(built.stdout).toContain("RUN echo ${TOKEN#tok_}");
  expect(built.stdout + built.stderr).not.toContain("SECRETVALUE");
  await app.write({ "Containerfile.x": `${steps}COPY $TOKEN /x\n` });
  const { stdout, stderr } = await app.fail(1, words, { env });
  expect(stdout + stderr).not.toContain("SECRETVALUE");
});

test("an image of a named context is up to date when nothing changed", async () => {
  const app = await project({
    "Containerfile.x": `FROM lower\nOUTPUT /layers\nRUN mkdir ${layer}/a\n`,
  });
  const words = [`--build-context=lower=docker-image://${base}`];
  const first = await app.build(words);
  expect(first.stderr).not.toContain("inputs-changed");
  expect((await app.build(words)).metadata.upToDate).toBe(true);
});
