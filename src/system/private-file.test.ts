import { spawnSync, type StdioOptions } from "node:child_process";
import { fstatSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { descriptorPath } from "./linux.ts";
import { openPrivateFile, type PrivateFile } from "./private-file.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-private-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("a file that no directory lists, for its owner alone, whatever the umask is", () => {
  const before = process.umask(0o777);
  const file = openPrivateFile("secret", directory);
  process.umask(before);
  expect(readdirSync(directory)).toEqual([]);
  const { mode, nlink } = fstatSync(descriptorOf(file));
  expect(mode & 0o777).toBe(0o600);
  expect(nlink).toBe(0);
  file.close();
  expect(() => fstatSync(descriptorOf(file))).toThrow("EBADF");
});

function descriptorOf({ fd }: PrivateFile): number {
  expect(fd).toBeDefined();
  return fd ?? -1;
}

test("a program that inherits it reads it from its start as often as it likes", () => {
  const file = openPrivateFile("secret\n", directory);
  const { path } = file;
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", descriptorOf(file)];
  const words = ["-c", `cat ${path} ${path}; cat ${path}`];
  const { stdout } = spawnSync("sh", words, { stdio, encoding: "utf8" });
  expect(stdout).toBe("secret\nsecret\nsecret\n");
  file.close();
});

test("nobody else has it: other programs do not inherit it, and it can get no name", () => {
  const file = openPrivateFile("secret", directory);
  const { stdout } = spawnSync("sh", ["-c", "ls -l /proc/$$/fd"], { encoding: "utf8" });
  expect(readlinkSync(descriptorPath(descriptorOf(file)))).toContain("deleted");
  expect(stdout).not.toContain(directory);
  const named = join(directory, "x");
  const { status } = spawnSync("ln", [
    "-L",
    `/proc/${process.pid}/fd/${descriptorOf(file)}`,
    named,
  ]);
  expect(status).toBe(1);
  file.close();
  expect(readdirSync(directory)).toEqual([]);
});

test("a directory that is not there is an error, and nothing is open", async () => {
  const before = readdirSync("/proc/self/fd").length;
  expect(() => openPrivateFile("x", join(directory, "none"))).toThrow("ENOENT");
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  await expect(readFile(join(directory, "none"))).rejects.toThrow("ENOENT");
});
