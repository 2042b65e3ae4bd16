import { lstat, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();

function containerfile(...lines: readonly string[]): string {
  const steps = lines.map((line) => `RUN cd /layers/output && mkdir -p layers && ${line}\n`);
  return `FROM ${baseImage}\nOUTPUT /layers\n${steps.join("")}`;
}

test("trees and tars are layers in bytewise order, their numbers being order and no name", async () => {
  const project = await sandbox.project({
    "Containerfile.x": containerfile(
      "mkdir -p layers/b layers/10-a layers/9-z layers/B",
      "for name in b 10-a 9-z B; do echo $name > layers/$name/$name; done",
      "cd / && tar -cf /layers/output/layers/c.tar etc/passwd",
      "cd / && tar -czf /layers/output/layers/d.tar.gz etc/group",
    ),
  });
  const built = await project.build();
  expect(built.metadata.layers.map((layer) => layer.name)).toEqual(["z", "a", "B", "b", "c", "d"]);
  expect(await readFile(join(built.image.files, "9-z"), "utf8")).toBe("9-z\n");
  expect(await readFile(join(built.image.files, "etc/passwd"), "utf8")).toContain("app:x:1000");
});

test(".keep keeps the previous image's layer of that name", async () => {
  const project = await sandbox.project({
    "Containerfile.x": containerfile(
      "mkdir layers/one layers/two && date > layers/one/one && date > layers/two/two",
    ),
  });
  const first = await project.build(["--no-load"]);
  await project.write({
    "Containerfile.x": containerfile(
      ": > layers/two.keep && : > layers/1-one.keep && mkdir layers/zero && echo > layers/zero/0",
    ),
  });
  const second = await project.build(["--no-load"]);
  expect(second.layers).toEqual(["one kept", "two kept", "zero new"]);
  expect(second.metadata.layers.slice(0, 2).map((one) => one.digest)).toEqual(
    first.metadata.layers.map((one) => one.digest),
  );
});

test("hard links, modes, links, owners and empty directories come through", async () => {
  const project = await sandbox.project({
    "Containerfile.x": containerfile(
      "mkdir -p layers/tree/dir/empty && cd layers/tree && echo x > dir/first && ln dir/first second && ln -s dir/first link && ln -s /nowhere broken",
      "cd layers/tree && cp /bin/busybox su && chmod 4755 su && mkdir t && chmod 1777 t && echo > 'a b' && chown 1000:1000 'a b' && chmod 0600 'a b'",
    ),
  });
  const { image } = await project.build();
  const at = (name: string): string => join(image.files, name);
  expect((await lstat(at("dir/first"))).ino).toBe((await lstat(at("second"))).ino);
  expect((await lstat(at("su"))).mode & 0o7777).toBe(0o4755);
  expect((await lstat(at("t"))).mode & 0o7777).toBe(0o1777);
  expect(await lstat(at("a b"))).toMatchObject({ uid: 1000, gid: 1000, mode: 0o100600 });
  expect((await lstat(at("dir/empty"))).isDirectory()).toBe(true);
  expect(await readlink(at("link"))).toBe("dir/first");
  expect(await readlink(at("broken"))).toBe("/nowhere");
});

function timedTree(time: string): string {
  return containerfile(
    `mkdir layers/one && echo 1 > layers/one/file && touch -d @${time} layers/one/file`,
  );
}

test("the same tree is the same layer, whatever its times", async () => {
  const project = await sandbox.project({ "Containerfile.x": timedTree("1000") });
  const first = await project.build(["--no-load"]);
  await project.write({ "Containerfile.x": timedTree("2000") });
  const second = await project.build(["--no-load"]);
  expect(second.layers).toEqual(["one equal"]);
  expect(second.metadata.layers[0]?.digest).toBe(first.metadata.layers[0]?.digest);
  await project.write({
    "Containerfile.x": timedTree("2000").replace("OUTPUT", "OUTPUT --reuse=exact"),
  });
  const exact = await project.build(["--no-load"]);
  expect(exact.layers).toEqual(["one new"]);
  expect(exact.metadata.layers[0]?.digest).not.toBe(first.metadata.layers[0]?.digest);
});

test.each([
  ["gzip", "application/vnd.oci.image.layer.v1.tar+gzip"],
  ["zstd", "application/vnd.oci.image.layer.v1.tar+zstd"],
  ["none", "application/vnd.oci.image.layer.v1.tar"],
])("--compression=%s", async (compression, mediaType) => {
  const text = containerfile("mkdir layers/one && echo 1 > layers/one/file");
  const project = await sandbox.project({
    "Containerfile.x": text.replace("OUTPUT", `OUTPUT --compression=${compression}`),
  });
  const built = await project.build();
  expect(built.metadata.layers).toMatchObject([{ name: "one", mediaType, status: "new" }]);
});

function plainSteps(...lines: readonly string[]): string {
  return `FROM ${baseImage}\nOUTPUT /layers\n${lines.map((line) => `RUN ${line}\n`).join("")}`;
}

test("the helper: list, has, keep, add from paths and from a stream", async () => {
  const helper = "/layers/bin/layer";
  const project = await sandbox.project({
    "Containerfile.x": plainSteps(
      `test -z "$(${helper} list)"`,
      `if ${helper} has passwd || ${helper} keep passwd; then exit 9; fi`,
      `${helper} add passwd /etc/passwd`,
      `${helper} add "etc/the group" -C /etc group`,
      `tar -cC / bin/busybox | ${helper} add busybox -`,
    ),
  });
  const first = await project.build(["--no-load"]);
  expect(first.layers).toEqual(["passwd new", "etc/the group new", "busybox new"]);
  expect(await readFile(join(first.image.files, "group"), "utf8")).toContain("app:x:1000");
  await project.write({
    "Containerfile.x": plainSteps(
      `test "$(${helper} list)" = "$(printf 'passwd\\netc/the group\\nbusybox')"`,
      `${helper} has "etc/the group" && if ${helper} has other; then exit 9; fi`,
      `${helper} keep busybox && ${helper} keep "etc/the group" && ${helper} add more /etc/passwd`,
    ),
  });
  const second = await project.build(["--no-load"]);
  expect(second.layers).toEqual(["busybox kept", "etc/the group kept", "more equal"]);
});

test("a user of the container writes the output, and state comes back in the next build", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
USER app
OUTPUT /layers
RUN test "$(id -u)" = 1000 && mkdir -p /layers/output/state && \\
    cat /layers/input/state/count 2>/dev/null > /tmp/count || echo 0 > /tmp/count; \\
    echo $(($(cat /tmp/count) + 1)) > /layers/output/state/count && umask 077 && \\
    mkdir -p /layers/output/layers/count && cp /layers/output/state/count /layers/output/layers/count/
`,
  });
  const count = async (): Promise<string> => {
    const { image } = await project.build(["--no-load", "--no-cache"]);
    return readFile(join(image.files, "count"), "utf8");
  };
  expect([await count(), await count()]).toEqual(["1\n", "2\n"]);
});

test("devices are refused unless they are asked for", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nCOPY device.tar /\nRUN /layers/bin/layer add device - < /device.tar\n`,
  });
  const device = join(sandbox.directory, "null");
  await sandbox.exec("mknod", device, "c", "1", "3");
  await sandbox.exec(
    "tar",
    "-C",
    sandbox.directory,
    "-cf",
    join(project.context, "device.tar"),
    "null",
  );
  const refused = await project.fail(1);
  expect(refused.stderr).toContain("error[layer-tar-device]");
  const built = await project.build(["--no-load", "--allow-devices"]);
  expect((await lstat(join(built.image.files, "null"))).isCharacterDevice()).toBe(true);
});
