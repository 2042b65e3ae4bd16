import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { useBuildKit } from "../support/buildkit.ts";
import type { ProjectFiles } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { chooseBuilder, createKitProject, type KitProject, pushBase } from "./kit-project.ts";

// What a user of the engine meets beside equal digests (table.test.ts): errors at their places, what is sent, what is
// hidden, caches, and files without OUTPUT.

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
const buildKit = useBuildKit();
let base: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  base = await pushBase(sandbox, service.proxy.host);
});

function project(files: ProjectFiles): Promise<KitProject> {
  return createKitProject(sandbox, files, chooseBuilder(sandbox, buildKit, buildKit.address));
}

const layer = "/layers/output/layers";

test("a step that fails is shown at its place, with its status, and the tag stays", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN mkdir ${layer}/a\n`,
  });
  await app.build();
  await app.write({
    "Containerfile.x": `FROM ${base}
RUN echo fine
OUTPUT \\
  /layers
RUN mkdir ${layer}/a && \\
    exit 7
`,
  });
  const behind = await app.fail(7);
  expect(behind.stderr).toContain("Containerfile.x:5:1: error[step-failed]: a step failed");
  expect(behind.stderr).toContain(`5 | RUN mkdir ${layer}/a && \\`);
  await app.write({
    "Containerfile.x": `FROM ${base}\nRUN exit 9\nOUTPUT /layers\nRUN mkdir ${layer}/a\n`,
  });
  const before = await app.fail(9);
  expect(before.stderr).toContain("Containerfile.x:2:1: error[step-failed]");
  await app.write({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN /layers/bin/layer keep missing\n`,
  });
  const unknown = await app.fail(1);
  expect(unknown.stdout + unknown.stderr).toContain(
    "layer: keep missing: no previous image has a layer",
  );
});

test("steps are told as the user wrote them, and their words byte for byte", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base} AS one
OUTPUT /layers
RUN mkdir ${layer}/a
FROM ${base} AS app
RUN echo in the environment
OUTPUT --from=one /layers
RUN --mount=type=bind,from=one,target=/one ls /one && mkdir ${layer}/b && printf 'a\\001\\377\\n'; sleep 0.5
`,
  });
  const { stdout } = await app.build();
  expect(stdout).toContain("RUN --mount=type=bind,from=one,target=/one ls /one");
  expect(stdout).not.toMatch(/xbuild-(?:layers|stage|floor|output)/);
});

test("layering steps run whenever they are asked for, the environment once", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}
RUN cat /proc/sys/kernel/random/uuid > /id
OUTPUT /layers
COPY seed /seed
RUN mkdir ${layer}/env ${layer}/steps && cp /id ${layer}/env/ && cat /proc/sys/kernel/random/uuid > ${layer}/steps/id
`,
    seed: "1",
  });
  const first = await app.build();
  expect(first.layers).toEqual(["env new", "steps new"]);
  const again = await app.build();
  expect(again.metadata.upToDate).toBe(true);
  await app.write({ seed: "2" });
  const second = await app.build();
  expect(second.layers).toEqual(["env equal", "steps new"]);
  await app.write({ seed: "1" });
  const third = await app.build(["--no-cache"]);
  expect(third.layers).toEqual(["env new", "steps new"]);
});

test("no blob of the previous image is sent unless that is asked for", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}
ARG N
OUTPUT /layers
RUN echo $N; ls /layers/input/blobs/sha256 | sed 's/^/blob /'; sleep 0.5; mkdir ${layer}/a && echo 1 > ${layer}/a/one
`,
  });
  const { metadata } = await app.build();
  const hex = metadata.layers[0]?.digest.slice("sha256:".length) ?? "";
  expect((await app.build(["--build-arg=N=1"])).stdout).not.toContain(`blob ${hex}`);
  const local = await app.build(["--build-arg=N=2", "--input=local"]);
  expect(local.stdout).toContain(`blob ${hex}`);
  expect(local.layers).toEqual(["a equal"]);
  await app.write({
    "Containerfile.x": `FROM ${base}
OUTPUT --input=all /layers
RUN ls /layers/input/blobs/sha256 | sed 's/^/blob /'; sleep 0.5; cp /layers/input/blobs/sha256/* /layers/output/blobs/sha256/
RUN echo "[{\\"created_by\\":\\"a\\",\\"digest\\":\\"sha256:$(ls /layers/output/blobs/sha256)\\"}]" > /layers/output/history.json
`,
  });
  const all = await app.build();
  expect(all.stdout).toContain(`blob ${hex}`);
  expect(all.layers).toEqual(["a equal"]);
});

test("secrets are there, and arguments that are hidden stand nowhere", async () => {
  const value = "a \"word\" of $PATH `d` \\e 'f'";
  const app = await project({
    "Containerfile.x": `FROM ${base}
ARG TOKEN=none
RUN test "$TOKEN" != none
OUTPUT /layers
RUN --mount=type=secret,id=s mkdir ${layer}/a && cp /run/secrets/s ${layer}/a/s && echo "$TOKEN" > ${layer}/a/token
`,
    secret: "of nobody's business\n",
    ".dockerignore": "secret\n",
  });
  const secret = `--secret=id=s,src=${join(app.context, "secret")}`;
  const env = { TOKEN: value };
  const built = await app.build([secret, "--build-arg=TOKEN", "--redact=TOKEN"], { env });
  expect(built.stdout + built.stderr).not.toContain(value);
  expect(built.layers).toEqual(["a new"]);
  const plain = await app.build([secret, `--build-arg=TOKEN=${value}`]);
  expect(plain.layers).toEqual(["a equal"]);
});

test("the environment comes from a cache in a registry", async () => {
  const cache = `${service.proxy.host}/cache:env`;
  const app = await project({
    "Containerfile.x": `FROM ${base}
RUN cat /proc/sys/kernel/random/uuid > /id
OUTPUT /layers
COPY seed /
RUN mkdir ${layer}/a && cp /id ${layer}/a/
`,
    seed: "1",
  });
  await app.build([`--env-cache-to=type=registry,ref=${cache},registry.insecure=true`]);
  await sandbox.exec(
    join(buildKit.clients, "buildctl"),
    `--addr=${buildKit.address}`,
    "prune",
    "--all",
  );
  await app.write({ seed: "2" });
  const { layers } = await app.build([`--env-cache-from=type=registry,ref=${cache}`]);
  expect(layers).toEqual(["a equal"]);
});

test("a local name is the store's image", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN mkdir -p ${layer}/a/etc && cp -r /bin ${layer}/a/ && echo lower > ${layer}/a/etc/lower\n`,
  });
  await app.build();
  const files = {
    "Containerfile.x": `FROM ${app.name}\nRUN cat /etc/lower\nOUTPUT /layers\nRUN cp -r /etc ${layer}/etc\n`,
  };
  await app.write(files);
  const built = await app.build(["-t", "localhost/upper:latest"]);
  expect(built.layers).toEqual(["etc new"]);
  await app.write({ "Containerfile.x": `FROM localhost/nobody:1\nOUTPUT /layers\nRUN true\n` });
  const failed = await app.fail(1);
  expect(failed.stderr).toContain("error[image-pull-failed]: there is no image localhost/nobody:1");
});

test("what BuildKit has nothing like is refused before anything runs", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN mkdir ${layer}/a\n`,
  });
  const { stderr } = await app.fail(125, ["--volume=/a:/b"]);
  expect(stderr).toContain("error[usage]: --volume: BuildKit has nothing like it");
  const other = await app.fail(125, ["--engine=buildah", `--builder=${buildKit.address}`]);
  expect(other.stderr).toContain("--builder names no builder of buildah");
});

test("what came back is kept, and collected again", async () => {
  const app = await project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN mkdir ${layer}/a && echo 1 > ${layer}/a/one\n`,
  });
  const { metadata } = await app.build(["--keep-output=kept"], { cwd: app.context });
  const [stage = ""] = await readdir(join(app.context, "kept"));
  const kept = join(app.context, "kept", stage);
  expect(await readdir(join(kept, "layers"))).toEqual(["a.tar"]);
  const words = ["collect", "-t", "localhost/again:latest", kept];
  const again = await app.run([...words, "--metadata-file", join(app.context, "again.json")]);
  expect(again.status).toBe(0);
  const found: { layers: { diffId: string }[] } = JSON.parse(
    await readFile(join(app.context, "again.json"), "utf8"),
  );
  expect(found.layers.map((one) => one.diffId)).toEqual(metadata.layers.map((one) => one.diffId));
});

test("a file without OUTPUT is the builder's own", async () => {
  const name = `${service.proxy.host}/plain:1`;
  const app = await project({
    Containerfile: `FROM ${base} AS lower\nARG WHO=nobody\nRUN echo "for $WHO" > /who\nFROM scratch\nCOPY --from=lower /who /\n`,
  });
  const words = ["-t", name, "--push", "--build-arg", "WHO=us", app.context];
  expect((await app.run(words)).status).toBe(0);
  const inspected = await sandbox.exec(
    "skopeo",
    "inspect",
    "--tls-verify=false",
    `docker://${name}`,
  );
  expect(JSON.parse(inspected)).toMatchObject({ Name: `${service.proxy.host}/plain` });
  const failed = await app.run(["--target=nowhere", app.context]);
  expect(failed.status).not.toBe(0);
});
