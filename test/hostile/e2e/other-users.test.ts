import { chmod, chown, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { findOutput, gateStep, openGate, startGated } from "../../support/gate.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { assertStatus } from "../../support/xbuild.ts";

// Threat model (c): another user of the machine is hostile.

const sandbox = useSandbox();
const text = `FROM ${baseImage}
OUTPUT /layers
USER 65534
RUN /layers/bin/layer add passwd /etc/passwd
${gateStep}
`;

/** Runs a shell command as another user: nobody on this machine, and a user of the container. */
function asNobody(command: string, ...args: readonly string[]) {
  const words = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", command, "sh"];
  return execa("setpriv", [...words, ...args], { reject: false });
}

/** The permission bits of a directory and of all that it lies in, up to the sandbox. */
async function listModes(path: string): Promise<readonly string[]> {
  const modes: string[] = [];
  for (let at = path; at.startsWith(sandbox.directory); at = dirname(at)) {
    modes.push(((await stat(at)).mode & 0o777).toString(8));
  }
  return modes;
}

describe.each([
  ["a new store", 0o022],
  ["a new store and no umask", 0],
  ["a new store and a narrow umask", 0o077],
])("%s", (_what, umask) => {
  test("no other user gets near what a running build writes", async () => {
    const before = process.umask(umask);
    const project = await sandbox.project({ "Containerfile.x": text });
    const started = await startGated(project, ["--no-load"]);
    process.umask(before);
    // Else the sandbox's own mode keeps the other user out.
    await chmod(sandbox.directory, 0o755);
    await chmod(dirname(project.store), 0o755);
    const output = await findOutput(project.store);
    const modes = await listModes(output);
    const attack = 'mkdir -p "$1/layers/evil" && echo evil > "$1/layers/evil/file"; ls "$2/tmp"';
    const attempt = await asNobody(attack, output, project.store);
    await openGate(project);
    assertStatus(await started.ended, 0);
    expect(modes.slice(0, 2)).toEqual(["777", "700"]);
    expect(attempt).toMatchObject({ exitCode: expect.not.stringMatching(/^0$/), stdout: "" });
    expect((await stat(project.store)).mode & 0o777).toBe(0o700);
  });
});

test("a store of an older version, open to all, is closed when it is opened", async () => {
  const project = await sandbox.project({ "Containerfile.x": text.replace(gateStep, "") });
  await project.build(["--no-load"]);
  await execa("chmod", ["-R", "a+rX", project.store]);
  await chmod(join(project.store, "lock"), 0o666);
  await project.run(["images"]);
  expect((await stat(project.store)).mode & 0o777).toBe(0o700);
  for (const name of ["tmp", "records", "refs", "state", "locations", "cache"]) {
    expect([name, (await stat(join(project.store, name))).mode & 0o077]).toEqual([name, 0]);
  }
  await project.write({ "Containerfile.x": text.replace(gateStep, "RUN true") });
  await project.build(["--no-load"]);
  expect((await stat(join(project.store, "lock"))).mode & 0o777).toBe(0o600);
});

test("records, states, notes and keys are files for their owner alone", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `${text.replace(gateStep, "ARG S")}\nRUN mkdir /layers/output/state && echo x > /layers/output/state/x\n`,
  });
  await project.build(["--no-load", "--build-arg=S=secret", "--redact=S"]);
  const files = [join(project.store, "key"), join(project.store, "lock")];
  for (const kind of ["records", "refs", "state", "locations"]) {
    const names = (await readdir(join(project.store, kind))).filter((name) =>
      name.endsWith(".json"),
    );
    files.push(...names.map((name) => join(project.store, kind, name)));
  }
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const isIndex = file.endsWith("index.json");
    expect([file, isIndex ? 0 : (await stat(file)).mode & 0o077]).toEqual([file, 0]);
  }
});

test("a store that another user has put there is not used", async () => {
  const project = await sandbox.project({ "Containerfile.x": text.replace(gateStep, "") });
  await mkdir(project.store);
  await chown(project.store, 65534, 65534);
  const outcome = await project.fail(1, ["--no-load"]);
  expect(outcome.stderr).toContain("error[store-not-writable]");
  expect(outcome.stderr).toContain("belongs to another user");
  expect(await readdir(project.store)).toEqual([]);
});

test("who waits for a lock says for what and since when, and hears Ctrl-C", async () => {
  const project = await sandbox.project({ "Containerfile.x": text.replace(gateStep, "") });
  await project.build(["--no-load"]);
  const lock = join(project.store, "lock");
  const holder = execa("flock", [lock, "cat"], { stdin: "pipe", reject: false });
  holder.stdin.write("held\n");
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  await project.write({ "Containerfile.x": text.replace(gateStep, "RUN true") });
  const started = project.start(["--no-load"]);
  const said = new Promise<string>((resolve) => {
    let all = "";
    started.stderr.on("data", (chunk: Buffer | string) => {
      all += String(chunk);
      if (all.includes("lock-busy")) resolve(all);
    });
  });
  expect(await said).toMatch(/waiting since \d{4}-\d\d-\d\dT[\d:.]+Z for the lock .*\/lock/);
  started.signal("SIGINT");
  assertStatus(await started.ended, 130);
  holder.stdin.end();
  await holder;
  const next = await project.build(["--no-load"]);
  expect(next.layers).toEqual(["passwd equal"]);
  expect(await readFile(lock, "utf8")).toBe("");
});

test("a layout that is written elsewhere shares no file with the store", async () => {
  const project = await sandbox.project({ "Containerfile.x": text.replace(gateStep, "") });
  const out = join(sandbox.directory, "shared-layout");
  await project.build(["--no-load", "-o", `oci:${out}`]);
  await execa("chown", ["-R", "65534:65534", out]);
  await execa("chmod", ["-R", "a+rwX", out]);
  const blobs = join(project.store, "blobs", "sha256");
  for (const name of await readdir(blobs)) {
    const { uid, mode, nlink } = await stat(join(blobs, name));
    expect([name, uid, mode & 0o022, nlink]).toEqual([name, 0, 0, 1]);
  }
});
