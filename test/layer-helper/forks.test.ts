import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createLab,
  listShells,
  makeScratch,
  put,
  readOnly,
  writeMarks,
  type Lab,
  type Shell,
} from "./lab.ts";

// What a call starts besides its shell. A limit on processes, which root does not have, refuses every fork.

/** Of a user that nobody else of the machine is. */
const uid = 1_500_000_000 + process.pid;

function runAlone(lab: Lab, shell: Shell, words: readonly string[]) {
  const user = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const script = [...shell.command, join(lab.base, "bin/layer"), ...words];
  const { status, stdout, stderr } = spawnSync(
    "setpriv",
    [...user, "prlimit", "--nproc=1", ...script],
    { encoding: "utf8", cwd: "/" },
  );
  return { status, stdout, stderr };
}

/** A directory with these programs, and what they were used for, one after the other. */
function watchPrograms(names: readonly string[]) {
  const directory = makeScratch();
  const used = join(directory, "used");
  for (const name of names) {
    const found = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
    const file = join(directory, name);
    writeFileSync(
      file,
      `#!/bin/sh\necho '${name}' >>'${used}'\nexec '${found.stdout.trim()}' "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  const list = (): readonly string[] => readFileSync(used, "utf8").trim().split("\n");
  return { path: directory, list };
}

describe.each(listShells())("under $name", (shell) => {
  it("keep, has and list start nothing", () => {
    const lab = createLab(shell);
    lab.setNames([
      { name: "one", digest: "sha256:1" },
      { name: "two ü", digest: "sha256:2" },
    ]);
    for (const directory of [lab.output, join(lab.output, "layers")]) {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o777);
    }
    expect(runAlone(lab, shell, ["list"]).stdout).toBe("one\ntwo ü\n");
    for (const name of ["one", "two ü"]) {
      for (const command of ["has", "keep"]) {
        expect(runAlone(lab, shell, [command, name])).toEqual({
          status: 0,
          stdout: "",
          stderr: "",
        });
      }
    }
    expect(runAlone(lab, shell, ["keep", "none"]).status).toBe(1);
    expect(lab.entries().map((one) => one.digest)).toEqual(["sha256:1", "sha256:2"]);
    // The limit is one that bites; bash tries for 15 seconds.
    if (shell.name === "bash") return;
    expect(runAlone(lab, shell, ["add", "x", "etc/passwd"]).status).not.toBe(0);
  });
});

// busybox runs its own programs without looking for them.
describe.each(["/bin/dash", "/bin/bash"])("under %s", (command) => {
  it("add starts one tar and one mv, once it is known which tar that is", () => {
    const { path, list } = watchPrograms(["tar", "mv", "mkdir"]);
    const lab = createLab({ name: "watched", command: [command], path });
    const tree = makeScratch();
    put(tree, "dir/file");
    const env = { PATH: path };
    for (const name of ["one", "two", "three"]) lab.ok(["add", name, "dir"], { cwd: tree, env });
    expect(list()).toEqual(["mkdir", "tar", "tar", "tar", "mv", "tar", "mv", "tar", "mv"]);
  });
});

type Counts = Readonly<Record<string, number>>;

function countPrograms(used: readonly string[]): Counts {
  const names = [...new Set(used)].sort();
  return Object.fromEntries(names.map((name) => [name, used.filter((one) => one === name).length]));
}

/** What "each" may start. */
const tools =
  "awk basename cat chmod cmp cp cut date dirname env expr find getconf grep head id ln ls mkdir mktemp mv nproc od rm sed sh sha256sum sort stat tail tar tee touch tr uname wc xargs"
    .split(" ")
    .filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0);

/** What each starts for so many paths: the first time, where nothing changed, and where one did. */
function countEach(command: string, count: number, isMarked = false): readonly Counts[] {
  const { path, list } = watchPrograms(tools);
  const tree = makeScratch();
  const shell = { name: "watched", command: [command], path };
  const lab = createLab(isMarked ? readOnly(shell, tree) : shell);
  const paths = Array.from({ length: count }, (_, at) => `p${at}`);
  for (const one of paths) put(tree, `${one}/file`);
  if (isMarked)
    writeMarks(
      lab,
      paths.map((one) => [join(tree, one), "mark"]),
    );
  let seen = 0;
  const run = (): Counts => {
    lab.ok(["each", ...paths], { cwd: tree, env: { PATH: `${path}:/usr/bin:/bin` } });
    const used = list().slice(seen);
    seen += used.length;
    return countPrograms(used);
  };
  const first = run();
  lab.next();
  const same = run();
  lab.next();
  put(tree, "p1/more");
  return [first, same, run()];
}

/** Besides tar and mv: the paths are walked once, planned by one awk, and checksums name what is kept for the next build. */
const always = { awk: 2, cp: 1, cut: 1, find: 3, mkdir: 3, nproc: 1, rm: 1, sha256sum: 2 };

describe.each(["/bin/dash", "/bin/bash"])("each under %s", (command) => {
  it.each([3, 30])(
    "starts the same for any number of paths (%d), and tar for what is packed",
    (count) => {
      // Two questions say which tar that is.
      expect(countEach(command, count)).toEqual([
        { ...always, mv: 1, tar: 2 + count },
        always,
        { ...always, mv: 1, tar: 3 },
      ]);
    },
  );
});

it("each asks once more, of the paths alone, where xbuild says what it has seen", () => {
  const marked = { ...always, awk: 3, cp: 2, find: 4 };
  const known = { ...marked, sha256sum: 1 };
  expect(countEach("/bin/dash", 30, true)).toEqual([{ ...marked, mv: 1, tar: 32 }, known, known]);
});

describe("another tar than the one that was remembered", () => {
  const [dash, , busybox] = listShells();

  it.each(["gnu", "gnu-old", "busybox", "busybox-small", "toybox", "bsd", "nonsense", ""])(
    "%s: the layer is whole",
    (remembered) => {
      if (dash === undefined || busybox === undefined) throw new Error("no shells");
      const tree = makeScratch();
      put(tree, "dir/file");
      for (const { path } of [dash, busybox]) {
        const lab = createLab({ name: "dash", command: ["/bin/dash"], path });
        writeFileSync(join(lab.output, ".layer-tar"), `${remembered}\n`);
        expect(lab.run(["add", "x", "dir"], { cwd: tree }).status).toBe(0);
        expect(lab.paths("x")).toEqual(["dir", "dir/file"]);
        expect(lab.run(["add", "y", "missing"], { cwd: tree }).status).toBe(1);
        expect(lab.entries()).toHaveLength(1);
      }
    },
  );

  it("GNU tar that comes to stand in its place keeps what busybox could not", () => {
    if (dash === undefined || busybox === undefined) throw new Error("no shells");
    const lab = createLab({ ...dash, command: ["/bin/dash"] });
    const tree = makeScratch();
    put(tree, "file");
    lab.ok(["add", "one", "file"], { cwd: tree, env: { PATH: busybox.path } });
    expect(readFileSync(join(lab.output, ".layer-tar"), "utf8")).toMatch(/^busybox/);
    lab.ok(["add", "two", "file"], { cwd: tree });
    expect(readFileSync(join(lab.output, ".layer-tar"), "utf8")).toBe("gnu\n");
  });

  it("a note that cannot be written or read is none", () => {
    if (dash === undefined) throw new Error("no shells");
    const lab = createLab(dash);
    const tree = makeScratch();
    put(tree, "file");
    symlinkSync("/nowhere/at/all", join(lab.output, ".layer-tar"));
    lab.ok(["add", "one", "file"], { cwd: tree });
    expect(existsSync(join(lab.output, ".layer-tar"))).toBe(false);
  });
});
