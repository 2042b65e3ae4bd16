import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { validateStore } from "../support/check-image.ts";
import { listLeftovers } from "../support/leftovers.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();
const containerfile = `FROM ${baseImage}
ARG WHO=nobody
OUTPUT /layers
RUN echo "$WHO" > /who && /layers/bin/layer add who /who
RUN /layers/bin/layer add etc /etc
`;

test("two builds of the same name at once: both succeed, one of them has the name", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const runs = ["one", "two"].map((who) => project.start(["--build-arg", `WHO=${who}`]));
  const outcomes = await Promise.all(runs.map((run) => run.ended));
  for (const outcome of outcomes) assertStatus(outcome, 0);
  expect(await validateStore(project.store)).toEqual([]);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
  const winner = await project.findDigest();
  expect(winner).toBeDefined();
  const built: string[] = [];
  for (const who of ["one", "two"]) {
    const again = await project.build(["--build-arg", `WHO=${who}`]);
    expect(again.builds).toEqual([]);
    built.push(again.metadata.digest);
  }
  expect(built).toContain(winner);
  expect(new Set(built).size).toBe(2);
});

test("the same inputs twice at once are one image", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const runs = [1, 2].map(() => project.start(["--quiet"], { env }));
  const outcomes = await Promise.all(runs.map((run) => run.ended));
  expect(outcomes.map((outcome) => outcome.status)).toEqual([0, 0]);
  expect(outcomes[0]?.stdout).toBe(outcomes[1]?.stdout);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
});

test("a store that cannot be made is an error before anything is built", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const file = join(sandbox.directory, "a-file");
  await writeFile(file, "");
  const refused = await project.run(["-t", project.name, project.context], {
    env: { XBUILD_STORE: join(file, "store") },
  });
  expect(refused).toMatchObject({ status: 1, builds: [] });
  expect(refused.stderr).toContain("error[store-not-writable]");
  expect(refused.stderr).not.toMatch(/^\s+at /m);
});

test("a full disk is an error that says so, and leaves nothing", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const disk = join(sandbox.directory, "disk");
  await mkdir(disk);
  await sandbox.exec("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk);
  try {
    const env = { XBUILD_STORE: join(disk, "store") };
    const args = ["-t", project.name, "--no-load", project.context];
    const fine = await project.run(args, { env, allowMounts: [disk] });
    assertStatus(fine, 0);
    const index = await readFile(join(disk, "store", "index.json"), "utf8");
    await project.write({
      "Containerfile.x": `${containerfile}RUN head -c 20000000 /dev/urandom > /random; /layers/bin/layer add random /random\n`,
    });
    const full = await project.run(args, { env, allowMounts: [disk] });
    expect(full.status).not.toBe(0);
    expect(await readFile(join(disk, "store", "index.json"), "utf8")).toBe(index);
    expect(await readdir(join(disk, "store", "tmp"))).toEqual([]);
  } finally {
    await sandbox.exec("umount", disk);
  }
});

test("a store on another file system than TMPDIR", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const temporary = join(sandbox.directory, "other-tmp");
  await mkdir(temporary);
  await sandbox.exec("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", temporary);
  try {
    const built = await project.build([], {
      env: { TMPDIR: temporary },
      allowMounts: [temporary],
    });
    expect(built.layers).toEqual(["who new", "etc new"]);
    expect(await readdir(temporary)).toEqual([]);
  } finally {
    await sandbox.exec("umount", temporary);
  }
});

test("a store that is removed, and one that lost a blob, are built again", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const first = await project.build();
  const [layer] = first.metadata.layers;
  await rm(join(project.store, "blobs", "sha256", layer?.digest.slice(7) ?? ""));
  const second = await project.build();
  expect(second.metadata).toMatchObject({ upToDate: false });
  await rm(project.store, { recursive: true });
  const third = await project.build();
  expect(third.layers.every((one) => one.endsWith(" new"))).toBe(true);
});

test("where the store is when XBUILD_STORE does not say", async () => {
  const project = await sandbox.project({ "Containerfile.x": containerfile });
  const data = join(sandbox.directory, "data");
  const args = ["-t", project.name, "--no-load", project.context];
  const given = await project.run(args, { env: { XBUILD_STORE: undefined, XDG_DATA_HOME: data } });
  assertStatus(given, 0);
  expect(await validateStore(join(data, "xbuild"))).toEqual([]);
  expect(await readdir(join(data, "xbuild"))).toContain("index.json");
  const home = join(sandbox.directory, "home");
  await mkdir(home);
  const env = { XBUILD_STORE: undefined, HOME: home };
  expect((await project.run(args, { env })).status).toBe(0);
  expect(await readdir(join(home, ".local/share/xbuild"))).toContain("index.json");
});

test("a context that nobody else may read", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nUSER app\nOUTPUT /layers\nCOPY --chown=app file /file\nRUN /layers/bin/layer add file /file\n`,
    file: { text: "x", mode: 0o600 },
  });
  await chmod(project.context, 0o700);
  const built = await project.build(["--no-load"]);
  expect(built.layers).toEqual(["file new"]);
});
