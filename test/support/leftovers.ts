import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Sandbox } from "./sandbox.ts";

/**
 * What a run left behind and must not have: working containers, names of its own in the engine's
 * storage, files in the store's `tmp/` and in TMPDIR, mounts.
 */
export async function listLeftovers(
  sandbox: Sandbox,
  store: string,
  allowedMounts: readonly string[] = [],
): Promise<readonly string[]> {
  const [containers, images, files, temporary, mounts] = await Promise.all([
    sandbox.exec("buildah", "containers", "--all", "--quiet"),
    sandbox.exec("buildah", "images", "--format={{.Name}}:{{.Tag}}"),
    readdir(join(store, "tmp")).catch(() => []),
    readdir(sandbox.env["TMPDIR"] ?? ""),
    readFile("/proc/mounts", "utf8"),
  ]);
  return [
    ...listLines(containers).map((id) => `container ${id}`),
    ...listLines(images)
      .filter((name) => /xbuild-(?:run|config|files)/.test(name))
      .map((name) => `image ${name}`),
    ...files.map((name) => `file tmp/${name}`),
    ...temporary.filter((name) => name.startsWith("xbuild")).map((name) => `temporary ${name}`),
    ...mounts
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(`${sandbox.directory}/`) && !isStorageRoot(path))
      .filter((path) => !allowedMounts.includes(path))
      .map((path) => `mount ${path}`),
  ];
}

/** Command lines of living processes that have this word in them. */
export async function listProcesses(word: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(pids.map(readCommandLine));
  return lines.filter((line) => line.includes(word));
}

/** Ends all processes of a user, and waits for that: podman leaves one that keeps its user namespace. */
export async function endProcessesOf(user: string): Promise<void> {
  const loop = 'while pkill --signal KILL --uid "$1"; do sleep 0.1; done';
  await execa("sh", ["-c", loop, "sh", user]);
}

/** Their IDs. */
export async function findProcesses(word: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(pids.map(readCommandLine));
  return pids.filter((_, index) => lines[index]?.includes(word));
}

async function readCommandLine(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.replaceAll("\0", " ");
}

/** The overlay driver keeps its own directory mounted as long as the machine runs. */
function isStorageRoot(path: string): boolean {
  return path.endsWith("/graph/overlay");
}

function listLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
