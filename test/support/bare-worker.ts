// What is done on a machine without /proc and flock (bare-machine.ts): node module.mjs TASK WORD...
import { randomUUID } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  closeDirectory,
  iterateNames,
  openBelow,
  openDirectory,
} from "../../src/system/directory.ts";
import { systemCode } from "../../src/system/errno.ts";
import { hasProc } from "../../src/system/linux.ts";
import { withLock } from "../../src/system/lock.ts";
import { openPrivateFile } from "../../src/system/private-file.ts";
import {
  checkProcess,
  identifyOwnProcess,
  readProcess,
} from "../../src/system/process-identity.ts";
import { removeTree } from "../../src/system/remove-tree.ts";
import { findTarget } from "../../src/system/target.ts";

const [task = "", directory = "", count = ""] = process.argv.slice(2);

/** Adds one to a number in a file so often, and fails where another is at it too. */
async function add(): Promise<void> {
  const [counter, inside] = [join(directory, "counter"), join(directory, "inside")];
  for (let round = 0; round < Number(count); round += 1) {
    await withLock(join(directory, "lock"), async () => {
      writeFileSync(inside, "", { flag: "wx" });
      const before = Number(readFileSync(counter, "utf8"));
      await sleep(1);
      writeFileSync(counter, String(before + 1));
      rmSync(inside);
    });
  }
}

/** Holds the lock until it is killed. */
async function hold(): Promise<void> {
  await withLock(count === "directory" ? directory : join(directory, "lock"), async () => {
    process.stdout.write(`held ${process.pid}\n`);
    await sleep(1_000_000);
  });
}

/** Has it once. */
async function take(): Promise<void> {
  const told: string[] = [];
  const onWait = (message: string): undefined => void told.push(message);
  const path = count === "directory" ? directory : join(directory, "lock");
  await withLock(path, async () => undefined, { onWait });
  say({ told });
}

/** Waits for it, and gives up. */
async function giveUp(): Promise<void> {
  const signal = AbortSignal.timeout(300);
  const waiting = withLock(join(directory, "lock"), async () => "ours", { signal });
  say({ outcome: await waiting.catch((error: unknown) => error === signal.reason) });
}

async function identify(): Promise<void> {
  const own = await identifyOwnProcess();
  const [pid = "", start = "", ...rest] = own.split(".");
  const later = [pid, Number(start) + 5, ...rest].join(".");
  const elsewhere = [...own.split(".").slice(0, -1), "00000000"].join(".");
  say({
    hasProc: hasProc(),
    own,
    group: readProcess(pid)?.group,
    states: await Promise.all([own, later, elsewhere].map(checkProcess)),
  });
}

async function directories(): Promise<void> {
  const tree = join(directory, "tree");
  mkdirSync(join(tree, "a", "b"), { recursive: true });
  writeFileSync(join(tree, "a", "b", "é"), "x");
  symlinkSync("a", join(tree, "link"));
  const root = openDirectory(tree);
  const [a, refused] = [openBelow(root, "a"), codeOf(() => openBelow(root, "link"))];
  const names = [...iterateNames(openBelow(a, "b"))].map(String);
  const up = openBelow(a, "..").way === root.way;
  // A directory that was moved, and a link in its place.
  renameSync(join(tree, "a"), join(tree, "moved"));
  symlinkSync("moved", join(tree, "a"));
  say({ names, refused, up, moved: codeOf(() => openBelow(a, "b")) });
  closeDirectory(root);
}

async function removal(): Promise<void> {
  const [tree, outside] = [join(directory, "tree"), join(directory, "outside")];
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "");
  // Deeper than the longest path that the system takes.
  mkdirSync(tree);
  for (let depth = 0; depth < 30; depth += 1) {
    const name = "d".repeat(200);
    mkdirSync(join(tree, "new"));
    if (depth > 0) renameSync(join(tree, name), join(tree, "new", name));
    renameSync(join(tree, "new"), join(tree, name));
  }
  for (let index = 0; index < 1200; index += 1) writeFileSync(join(tree, randomUUID()), "");
  symlinkSync(outside, join(tree, "link"));
  mkdirSync(join(tree, "closed", "in"), { recursive: true, mode: 0o000 });
  const left = await removeTree(tree);
  say({ left, isGone: !existsSync(tree), outside: readdirSync(outside) });
}

function secrets(): void {
  const file = openPrivateFile("secret", directory);
  const modes = [lstatSync(join(file.path, "..")), lstatSync(file.path)].map(
    (one) => one.mode & 0o777,
  );
  const text = readFileSync(file.path, "utf8");
  file.close();
  const ended = openPrivateFile("secret", directory);
  say({
    modes,
    text,
    fd: file.fd,
    left: readdirSync(directory).length,
    there: existsSync(ended.path),
  });
}

function targets(): void {
  const read = openSync(process.execPath, "r");
  const paths = [
    "/dev/stdout",
    "/dev/fd/2",
    "/dev/fd/99",
    "/dev/fd/5",
    `/dev/fd/${read}`,
    "/dev/null",
  ];
  const found = paths.map((path) => {
    try {
      const target = findTarget(path, "x");
      return target.kind === "descriptor" ? target.fd : target.kind;
    } catch (error) {
      return error instanceof Error ? error.message.replace(String(read), "N") : "";
    }
  });
  say(found);
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const tasks: Readonly<Record<string, () => void | Promise<void>>> = {
  add,
  hold,
  take,
  giveUp,
  identify,
  directories,
  removal,
  secrets,
  targets,
};
await tasks[task]?.();
