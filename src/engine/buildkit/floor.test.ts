import { execFileSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { floorScript, isFloorFailure } from "./floor.ts";
import { XbuildError } from "../../errors.ts";

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-floor-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a directory of programs, and says where its shell is: what an image has, from this machine. */
type Install = (bin: string) => string;

const tools = ["find", "stat", "touch", "awk", "sed"];

const linkTools: Install = (bin) => {
  for (const name of tools) symlinkSync(locate(name), join(bin, name));
  symlinkSync(locate("dash"), join(bin, "sh"));
  return join(bin, "sh");
};

const linkBusybox: Install = (bin) => {
  for (const name of ["sh", ...tools]) symlinkSync(locate("busybox"), join(bin, name));
  return join(bin, "sh");
};

function locate(program: string): string {
  return execFileSync("/bin/sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
}

/** Runs it as an image's step would. @param bin goes in front of the places that the script itself looks at */
function floor(directory: string, shell: string, bin: string): void {
  const script = floorScript.replace("PATH=$PATH:/usr/bin:/bin", `PATH=${bin}`);
  expect(script).not.toBe(floorScript);
  execFileSync(shell, ["-c", script, "xbuild-floor", directory], { env: {}, stdio: "pipe" });
}

const names = [
  "plain",
  "two  blanks ",
  "-dash",
  "--help",
  "it's",
  'say "x"',
  "$HOME",
  "back\\slash",
  "`true`",
  "%s%n",
  "a\tb",
  "line\nbreak",
  "\n",
  "é",
  "\xff\xfe no UTF-8",
  "*",
  "1700000000 2026-01-01 00:00:00.500000000 +0000 x",
  "~",
  "#",
].map((name) => Buffer.from(name, "latin1"));

const seconds = [1_700_000_000.3, 1_700_000_000.7, 1_700_000_001, 1_600_000_000.999999, 0.5];

function pathIn(directory: Buffer | string, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from("/"), Buffer.from(name)]);
}

/** Files of each name and time, in directories of each, too; links of both kinds. */
function fill(root: string): void {
  for (const [at, name] of names.entries()) {
    const time = seconds[at % seconds.length] ?? 0;
    const directory = pathIn(root, Buffer.concat([Buffer.from("d"), name]));
    mkdirSync(directory, { mode: 0o750 });
    for (const [index, one] of seconds.entries()) {
      const path = pathIn(directory, `f${index}`);
      writeFileSync(path, "x", { mode: 0o4711 });
      utimesSync(path, one, one);
    }
    const path = pathIn(root, name);
    writeFileSync(path, "content");
    linkSync(path, pathIn(directory, name));
    symlinkSync("/nowhere", pathIn(directory, "link"));
    lutimesSync(pathIn(directory, "link"), time, time);
    utimesSync(path, time, time);
    utimesSync(directory, time, time);
  }
}

interface Facts {
  readonly mode: bigint;
  readonly owner: string;
  readonly links: bigint;
  readonly size: bigint;
  readonly mtime: bigint;
}

/** Of all that is there, by its path (one character a byte). */
function describeFiles(root: string): ReadonlyMap<string, Facts> {
  const facts = new Map<string, Facts>();
  const visit = (path: Buffer): void => {
    const { mode, uid, gid, nlink, size, mtimeNs, ...stats } = lstatSync(path, { bigint: true });
    const isDirectory = (mode & 0o170000n) === 0o040000n;
    facts.set(path.toString("latin1").slice(root.length), {
      mode,
      owner: `${uid}:${gid}`,
      links: nlink,
      size: isDirectory ? 0n : size,
      mtime: mtimeNs,
    });
    expect(stats.ino).toBeGreaterThan(0n);
    if (!isDirectory) return;
    for (const name of readdirSync(path, { encoding: "buffer" })) visit(pathIn(path, name));
  };
  visit(Buffer.from(root));
  return facts;
}

const second = 1_000_000_000n;

function floored(facts: ReadonlyMap<string, Facts>): ReadonlyMap<string, Facts> {
  return new Map(
    [...facts].map(([path, one]) => [path, { ...one, mtime: (one.mtime / second) * second }]),
  );
}

describe.each([
  ["dash and coreutils", linkTools],
  ["busybox", linkBusybox],
] as const)("%s", (_, install) => {
  it("floors the times of all, and changes nothing else", () => {
    const [root, bin] = [createDirectory(), createDirectory()];
    fill(root);
    utimesSync(root, 1_700_000_000.7, 1_700_000_000.7);
    const before = describeFiles(root);
    // Names, directories of them, and in each directory files, a link and a name of the file.
    expect(before.size).toBe(1 + names.length * (2 + seconds.length + 2));
    expect(
      [...before.values()].filter(({ mtime }) => mtime % second !== 0n).length,
    ).toBeGreaterThan(100);
    floor(root, install(bin), bin);
    expect(describeFiles(root)).toEqual(floored(before));
  });

  it("floors many files of one second, and of many", () => {
    const [root, bin] = [createDirectory(), createDirectory()];
    for (let at = 0; at < 1500; at += 1) {
      const time = 1_700_000_000.5 + (at < 1100 ? 0 : at);
      writeFileSync(join(root, `file ${at}`), "");
      utimesSync(join(root, `file ${at}`), time, time);
    }
    const before = describeFiles(root);
    floor(root, install(bin), bin);
    expect(describeFiles(root)).toEqual(floored(before));
  });

  it("has nothing to do in an empty directory, and none to do it in", () => {
    const [root, bin] = [createDirectory(), createDirectory()];
    const shell = install(bin);
    utimesSync(root, 5, 5);
    floor(root, shell, bin);
    floor(join(root, "nowhere"), shell, bin);
    expect(lstatSync(root).mtimeMs).toBe(5000);
  });
});

// busybox has them built in.
it.each(["find", "stat", "touch", "awk"])("leaves times alone where there is no %s", (name) => {
  const [root, bin] = [createDirectory(), createDirectory()];
  const shell = linkTools(bin);
  rmSync(join(bin, name));
  writeFileSync(join(root, "x"), "");
  utimesSync(join(root, "x"), 5.5, 5.5);
  floor(root, shell, bin);
  expect(lstatSync(join(root, "x")).mtimeMs).toBe(5500);
});

test("a step of ours that fails is told by its name", () => {
  const cause =
    'process "/bin/sh -c ... xbuild-floor /l/output" did not complete successfully: exit code: 127';
  expect(isFloorFailure(new XbuildError("step-failed", "x", { cause }))).toBe(true);
  expect(isFloorFailure(new XbuildError("step-failed", "x", { cause: "process y" }))).toBe(false);
  expect(isFloorFailure(new Error("xbuild-floor"))).toBe(false);
  expect(isFloorFailure(undefined)).toBe(false);
});
