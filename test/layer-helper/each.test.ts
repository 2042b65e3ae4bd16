import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { helperParts } from "../support/joined-helper.ts";
import {
  awks,
  createLab,
  listShells,
  makeScratch,
  put,
  readOnly,
  writeMarks,
  type Lab,
} from "./lab.ts";

/** A context with a directory for each package. */
function makePackages(): string {
  const root = makeScratch();
  put(root, "pkgs/bash/usr/bin/bash", "bash", 0o755);
  put(root, "pkgs/a b/etc/conf", "conf");
  put(root, "pkgs/c/usr/lib/c.so");
  symlinkSync("c.so", join(root, "pkgs/c/usr/lib/c.so.1"));
  return root;
}

/** Whether each entry is kept or new, by its name. */
function statuses(lab: Lab): readonly string[] {
  return lab
    .entries()
    .map((one) => `${one.created_by} ${one.digest === undefined ? "new" : "kept"}`);
}

describe.each(listShells())("layer each under $name", (shell) => {
  it("believes nothing of what a step could write", () => {
    const root = makePackages();
    const [writable, closed] = [createLab(shell), createLab(readOnly(shell, root))];
    const words = ["each", "-C", join(root, "pkgs"), "bash/.", "c/."];
    const marks = ["bash", "c"].map((name) => [join(root, "pkgs", name), `mark-${name}`] as const);
    const build = (lab: Lab): readonly string[] => {
      writeMarks(lab, marks);
      lab.ok(words);
      const found = statuses(lab);
      lab.next();
      return found;
    };
    for (const lab of [writable, closed]) build(lab);
    put(root, "pkgs/c/new");
    expect(build(closed)).toEqual(["bash kept", "c kept"]);
    expect(build(writable)).toEqual(["bash kept", "c new"]);
    // A part of it that is mounted once more, and can be written.
    const opened = createLab(readOnly(shell, root, join(root, "pkgs/c")));
    build(opened);
    put(root, "pkgs/bash/new");
    put(root, "pkgs/c/newer");
    expect(build(opened)).toEqual(["bash kept", "c new"]);
  });

  it("makes a layer of each path, with what is below it, named by the path", () => {
    const root = makePackages();
    const lab = createLab(shell);
    lab.ok(["each", "-C", join(root, "pkgs"), "bash", "a b/", "c/."]);
    expect(statuses(lab)).toEqual(["bash new", "a b new", "c new"]);
    expect(lab.paths("bash")).toEqual(["bash", "bash/usr", "bash/usr/bin", "bash/usr/bin/bash"]);
    expect(lab.paths("a b")).toEqual(["a b", "a b/etc", "a b/etc/conf"]);
    const contents = ["", "usr", "usr/lib", "usr/lib/c.so", "usr/lib/c.so.1"];
    expect(lab.paths("c")).toEqual(contents.filter((path) => path !== ""));
    expect(readdirSync(join(lab.output, "layers"))).toHaveLength(3);
  });

  it("names them by a template, also paths from the root", () => {
    const root = makePackages();
    const lab = createLab(shell);
    const path = join(root, "pkgs/c/usr/lib");
    lab.ok(["each", "--name={/} of {} & \\1", path]);
    lab.ok(["each", "--name", "fixed", "-C", root, "--", "pkgs/bash/."]);
    expect(lab.entries().map((one) => one.created_by)).toEqual([`lib of ${path} & \\1`, "fixed"]);
    expect(lab.paths("fixed")).toEqual(["usr", "usr/bin", "usr/bin/bash"]);
    expect(lab.paths(`lib of ${path} & \\1`)).toContain(`${path}/c.so`.slice(1));
  });

  it("keeps what has not changed, and reads what has, whatever its times say", () => {
    const root = makePackages();
    const lab = createLab(shell);
    const words = ["each", "-C", join(root, "pkgs"), "bash/.", "a b/.", "c/."];
    lab.ok(words);
    const digests = lab.next();
    // Nobody who is kept is read.
    chmodSync(join(root, "pkgs/bash/usr/bin/bash"), 0o755);
    lab.ok(words);
    expect(statuses(lab)).toEqual(["bash new", "a b kept", "c kept"]);
    expect(lab.entries()[1]?.digest).toBe(digests.get("a b"));
    lab.next();
    const conf = join(root, "pkgs/a b/etc/conf");
    const then = new Date(1_700_000_000_000);
    utimesSync(conf, then, then);
    lab.ok(words);
    lab.next();
    writeFileSync(conf, "CONF");
    utimesSync(conf, then, then);
    lutimesSync(join(root, "pkgs/c/usr/lib/c.so.1"), then, then);
    lab.ok(words);
    expect(statuses(lab)).toEqual(["bash kept", "a b new", "c new"]);
    lab.next();
    lab.ok([...words.slice(0, 3), "bash/.", "c/."]);
    expect(statuses(lab)).toEqual(["bash kept", "c kept"]);
  });

  it("sees files that come and go, links and modes", () => {
    const root = makePackages();
    const lab = createLab(shell);
    const pkgs = join(root, "pkgs");
    const words = ["each", "-C", pkgs, "bash", "a b", "c"];
    const build = (): readonly string[] => {
      lab.ok(words);
      const found = statuses(lab);
      lab.next();
      return found.filter((one) => one.endsWith("new"));
    };
    expect(build()).toHaveLength(3);
    expect(build()).toEqual([]);
    put(pkgs, "bash/empty", "");
    rmSync(join(pkgs, "a b/etc/conf"));
    chmodSync(join(pkgs, "c/usr"), 0o700);
    expect(build()).toEqual(["bash new", "a b new", "c new"]);
    expect(build()).toEqual([]);
    rmSync(join(pkgs, "c/usr/lib/c.so.1"));
    symlinkSync("c.so", join(pkgs, "c/usr/lib/c.so.2"));
    mkdirSync(join(pkgs, "bash/dir"));
    expect(build()).toEqual(["bash new", "c new"]);
  });

  it("keeps no layer of another call that has the same name", () => {
    const root = makeScratch();
    put(root, "A/p/f", "A");
    put(root, "B/p/f", "B");
    const lab = createLab(shell);
    const build = (): readonly string[] => {
      for (const at of ["A", "B"]) lab.ok(["each", "-C", join(root, at), "p"]);
      const found = statuses(lab);
      lab.next();
      return found;
    };
    expect(build()).toEqual(["p new", "p new"]);
    expect(build()).toEqual(["p new", "p new"]);
    // Directories whose names are alike.
    put(root, "x-y/q/f", "1");
    put(root, "x_y/r/f", "2");
    for (const kept of ["new", "kept"]) {
      for (const at of ["x-y/q", "x_y/r"]) {
        lab.ok(["each", "-C", join(root, at, ".."), at.slice(4)]);
      }
      expect(statuses(lab)).toEqual([`q ${kept}`, `r ${kept}`]);
      lab.next();
    }
  });

  it("takes xbuild's word for a tree that it has looked at, and for no other", () => {
    const root = makePackages();
    const lab = createLab(readOnly(shell, root));
    const words = ["each", "-C", join(root, "pkgs"), "bash/.", "a b/.", "c"];
    const build = (marks: Readonly<Record<string, string>>, change = (): void => {}): string => {
      writeMarks(
        lab,
        Object.entries(marks).map(([name, mark]) => [join(root, "pkgs", name), mark]),
      );
      change();
      lab.ok(words);
      const found = statuses(lab).join(", ");
      lab.next();
      return found;
    };
    const marks = { bash: "m1", "a b": "m2", c: "m3" };
    expect(build(marks)).toBe("bash new, a b new, c new");
    // Of what is not looked at nothing shows, as long as nothing else is said of it.
    const edit = (): void => put(root, "pkgs/a b/etc/conf", "changed");
    expect(build(marks, edit)).toBe("bash kept, a b kept, c kept");
    expect(build({ ...marks, "a b": "m4" })).toBe("bash kept, a b new, c kept");
    expect(build({ bash: "m1" })).toBe("bash kept, a b kept, c kept");
    // What was said before is forgotten: a signature is good for what was seen with it.
    put(root, "pkgs/c/usr/lib/c.so", "changed");
    expect(build(marks)).toBe("bash kept, a b kept, c new");
    words.splice(3, 3, "bash", "a b/.", "c/.");
    expect(build(marks)).toBe("bash new, a b new, c new");
    words.splice(3, 3, "bash/.", "a b", "c");
    edit();
    expect(build(marks)).toBe("bash new, a b new, c new");
    const owners = join(lab.base, "input/state");
    for (const name of readdirSync(owners).filter((one) => one.endsWith("-trees"))) {
      const text = readFileSync(join(owners, name), "utf8");
      writeFileSync(join(owners, name), text.replace(" 0:", " 1:"));
    }
    put(root, "pkgs/bash/new");
    expect(build(marks)).toBe("bash new, a b kept, c kept");
  });

  it("sees another file of the same times", () => {
    const root = makeScratch();
    const then = new Date(1_700_000_000_000);
    // Written in one tick of the clock, as a rule: then all but their numbers is the same.
    for (const at of ["v1", "v2"]) put(root, `${at}/app`, at);
    for (const at of ["v1", "v2"]) utimesSync(join(root, at, "app"), then, then);
    const lab = createLab(shell);
    renameSync(join(root, "v1"), join(root, "cur"));
    lab.ok(["each", "-C", root, "cur"]);
    lab.next();
    rmSync(join(root, "cur"), { recursive: true });
    renameSync(join(root, "v2"), join(root, "cur"));
    lab.ok(["each", "-C", root, "cur"]);
    expect(statuses(lab)).toEqual(["cur new"]);
  });

  it("names layers after odd paths as add does", () => {
    const root = makeScratch();
    const names = [String.raw`b\s`, String.raw`b\n`, 'q"t', "tab\tin"];
    for (const name of names) put(root, `${name}/f`);
    const lab = createLab(shell);
    lab.ok(["each", "-C", root, ...names, "./b\\s/./."]);
    expect(lab.entries().map((one) => one.created_by)).toEqual([...names, String.raw`./b\s`]);
  });

  it("packs again what stat cannot vouch for: a name with a line break, and what the layers are in", () => {
    const root = makeScratch();
    put(root, "odd/a\nb");
    put(root, "plain/file");
    const lab = createLab(shell);
    const words = ["each", "-C", root, "odd", "plain"];
    lab.ok(words);
    lab.next();
    lab.ok(words);
    // Which path it is nobody says: its name could say anything of the others.
    expect(statuses(lab)).toEqual(["odd new", "plain new"]);
    const entry = lab.entries()[0]?.path ?? "";
    const listed = spawnSync("tar", ["-tf", join(lab.output, entry)], { encoding: "utf8" }).stdout;
    expect(listed).toContain(String.raw`odd/a\nb`);
    lab.next();
    put(lab.base, "beside");
    lab.ok(["each", "--name=below", join(lab.base, "..")]);
    expect(lab.paths("below").filter((path) => path.includes("layers dir"))).toEqual([]);
  });

  it.each([
    [[], /each takes at least one path/],
    [["--name"], /each --name takes a value/],
    [["-C", "x"], /each takes at least one path/],
    [["--name=x", "a", "b"], /each --name takes a name with/],
    [["--name=x\ny{}", "a"], /no name with a line break/],
    [["--name=", "a"], /a name that is not empty/],
    [["a", "/b"], /not both/],
    [["a", ""], /no empty path/],
    [["--oops", "a"], /unknown option '--oops' of each/],
  ])("refuses the words %j", (words, reason) => {
    const result = createLab(shell).run(["each", ...words]);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(reason);
  });

  it("leaves nothing behind where a path is not there or cannot be read", () => {
    const root = makePackages();
    const lab = createLab(shell);
    for (const words of [["pkgs/bash", "*/nothing"], ["a\nb"], ["-C", "none", "x"]]) {
      const result = lab.run(["each", ...words], { cwd: root });
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toMatch(/^layer: .*\n$/);
    }
    chmodSync(lab.output, 0o777);
    rmSync(join(lab.output, "layers"), { recursive: true, force: true });
    chmodSync(join(root, "pkgs/c/usr"), 0o700);
    const failed = lab.run(["each", "pkgs/c"], { cwd: root, uid: 1000 });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("layer: cannot read all of the paths");
    expect(lab.entries()).toEqual([]);
    expect(readdirSync(join(lab.output, "layers"))).toEqual([]);
  });
});

/** What find tells of a path, from GNU find itself, and from stat. */
const forms = {
  find: (type: string, time: number, path: string, device = 1): string =>
    `${device}:2 1 ${type} 0 0 4 1.0 ${time.toFixed(3)}0000000 ${path}\n`,
  stat: (type: string, time: number, path: string, device = 1): string => {
    const mode = { f644: "x81a4", d755: "x41ed", l777: "xa1ff" }[type] ?? "";
    const [day, hour] = new Date(Math.round(time * 1000)).toISOString().replace("Z", "").split("T");
    return `${device}:2 1 ${mode} 0 0 4 2026-01-01 00:00:00.5 +0000 ${day} ${hour}000000 +0000 ${path}\n`;
  },
};

// The last second of a year, and the first of March.
const nows = [1_700_000_000.124, Date.UTC(2024, 0, 1) / 1000, Date.UTC(2024, 2, 1) / 1000 + 0.001];

describe.each(Object.entries(forms))("times of %s", (_form, line) => {
  it.each(awks)("what changed just now is not vouched for: %s", (...awk) => {
    for (const now of nows) {
      const work = makeScratch();
      const whole = Math.floor(now) - 1;
      const lines = [
        [line("f644", now - 0.021, "./a")],
        [line("f644", now, "./b")],
        [line("d755", now + 1, "./c"), line("l777", now + 0.5, "./c/d")],
        [line("d755", now + 1, "./d")],
        [line("f644", whole, "./e")],
        [line("f644", whole - 2, "./f"), line("f644", now - 0.019, "./f/g")],
        [line("f644", whole - 2, "./h")],
        // A name that ends as the end of a path does.
        [line("f644", whole - 2, `./i ${work}/none`), line("f644", now, "./i/j")],
        [line("f644", whole - 2, "./k", 700), line("f644", whole - 2, "./k/l", 7)],
        [line("f644", whole - 2, "./m", 70)],
      ];
      const end = line("f644", now, join(work, "none"));
      writeFileSync(join(work, "paths"), lines.map((_, at) => `all ${at}\n`).join(""));
      writeFileSync(join(work, "walk"), lines.map((one) => one.join("") + end).join(""));
      writeFileSync(join(work, "now"), line("f644", now, join(work, "clock")));
      expect(listUnsure(awk, work)).toEqual(["2", "3", "5", "6", "8", "9"]);
    }
  });
});

function listUnsure(awk: readonly string[], work: string): readonly string[] {
  const programs = ["split/stat.awk", "each/each.awk", "split/escape.awk"];
  const inputs = ["paths", "now", "walk"].flatMap((name) => [`mode=${name}`, join(work, name)]);
  const files = programs.flatMap((one) => ["-f", join(helperParts, one)]);
  const env = { ...process.env, layer_work: work, layer_template: "{}", layer_fixed: " 1792  7 " };
  const [command = "", ...words] = awk;
  const all = [...words, ...files, ...inputs];
  const result = spawnSync(command, all, { env, encoding: "utf8" });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  return readFileSync(join(work, "unsure"), "utf8").trim().split("\n");
}
