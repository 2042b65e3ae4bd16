import { execFileSync, spawnSync } from "node:child_process";
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

const tools = ["find", "stat", "touch", "awk", "ln"];

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

const mountOverlay =
  'mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged"';

/** Where this machine does not let us mount one, nothing is shown. */
function canMount(): boolean {
  const directory = makeOverlay();
  const { status } = spawnSync("unshare", ["-m", "sh", "-c", mountOverlay, "sh", directory]);
  rmSync(directory, { recursive: true, force: true });
  return status === 0;
}

function makeOverlay(): string {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-overlay-"));
  for (const name of ["lower/d", "upper", "work", "merged"])
    mkdirSync(join(directory, name), { recursive: true });
  return directory;
}

it.skipIf(!canMount())("keeps the names of a file together, which an overlay parts", () => {
  const directory = makeOverlay();
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [x, y, d] = ["x", "d/y", "d"].map((name) => join(directory, "lower", name));
  if (x === undefined || y === undefined || d === undefined) throw new Error("no names");
  writeFileSync(x, "content");
  linkSync(x, y);
  utimesSync(x, 1_700_000_000.7, 1_700_000_000.7);
  utimesSync(d, 1_600_000_000.7, 1_600_000_000.7);
  const script = `${mountOverlay} && sh -c "$2" xbuild-floor "$1/merged" && cd "$1/merged" && stat -c "%h %y %n" x d/y d`;
  const words = ["-m", "sh", "-c", script, "sh", directory, floorScript];
  const shown = execFileSync("unshare", words, {
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC" },
  });
  expect(shown.split("\n").slice(0, 2)).toEqual([
    "2 2023-11-14 22:13:20.000000000 +0000 x",
    "2 2023-11-14 22:13:20.000000000 +0000 d/y",
  ]);
  expect(shown).toMatch(/ 2020-09-13 12:26:40\.000000000 \+0000 d\n$/);
});

// busybox has them built in.
it.each(["find", "stat", "touch", "awk", "ln"])(
  "leaves times alone where there is no %s",
  (name) => {
    const [root, bin] = [createDirectory(), createDirectory()];
    const shell = linkTools(bin);
    rmSync(join(bin, name));
    writeFileSync(join(root, "x"), "");
    utimesSync(join(root, "x"), 5.5, 5.5);
    floor(root, shell, bin);
    expect(lstatSync(join(root, "x")).mtimeMs).toBe(5500);
  },
);

test("a step of ours that fails is told by its name", () => {
  const cause =
    'process "/bin/sh -c ... xbuild-end-1 /l/output" did not complete successfully: exit code: 127';
  expect(isFloorFailure(new XbuildError("step-failed", "x", { cause }), "xbuild-end-1")).toBe(true);
  expect(
    isFloorFailure(new XbuildError("step-failed", "x", { cause: "process y" }), "xbuild-end-1"),
  ).toBe(false);
  expect(isFloorFailure(new Error("xbuild-end-1"), "xbuild-end-1")).toBe(false);
  expect(isFloorFailure(undefined, "xbuild-end-1")).toBe(false);
});
