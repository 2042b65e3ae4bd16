import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { helperParts } from "../support/joined-helper.ts";
import { awks, createLab, listShells, makeScratch, put, type Lab } from "./lab.ts";

/** A context with a directory for each package. */
function makePackages(): string {
  const root = makeScratch();
  put(root, "pkgs/bash/usr/bin/bash", "bash", 0o755);
  put(root, "pkgs/a b/etc/conf", "conf");
  put(root, "pkgs/c/usr/lib/c.so");
  symlinkSync("c.so", join(root, "pkgs/c/usr/lib/c.so.1"));
  return root;
}

/** Until a change leaves another time than what there is: in whole seconds, as busybox tells it. */
async function waitForClock(): Promise<void> {
  const begin = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) < begin + 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether each entry is kept or new, by its name. */
function statuses(lab: Lab): readonly string[] {
  return lab
    .entries()
    .map((one) => `${one.created_by} ${one.digest === undefined ? "new" : "kept"}`);
}

describe.each(listShells())("layer each under $name", (shell) => {
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

  it("keeps what has not changed, and reads what has, whatever its times say", async () => {
    const root = makePackages();
    const lab = createLab(shell);
    const words = ["each", "-C", join(root, "pkgs"), "bash/.", "a b/.", "c/."];
    await waitForClock();
    lab.ok(words);
    const digests = lab.next();
    // Nobody who is kept is read.
    chmodSync(join(root, "pkgs/bash/usr/bin/bash"), 0o755);
    await waitForClock();
    lab.ok(words);
    expect(statuses(lab)).toEqual(["bash new", "a b kept", "c kept"]);
    expect(lab.entries()[1]?.digest).toBe(digests.get("a b"));
    lab.next();
    const conf = join(root, "pkgs/a b/etc/conf");
    const then = new Date(1_700_000_000_000);
    utimesSync(conf, then, then);
    await waitForClock();
    lab.ok(words);
    lab.next();
    writeFileSync(conf, "CONF");
    utimesSync(conf, then, then);
    lutimesSync(join(root, "pkgs/c/usr/lib/c.so.1"), then, then);
    await waitForClock();
    lab.ok(words);
    expect(statuses(lab)).toEqual(["bash kept", "a b new", "c new"]);
    lab.next();
    lab.ok([...words.slice(0, 3), "bash/.", "c/."]);
    expect(statuses(lab)).toEqual(["bash kept", "c kept"]);
  });

  it("sees files that come and go, links and modes", async () => {
    const root = makePackages();
    const lab = createLab(shell);
    const pkgs = join(root, "pkgs");
    const words = ["each", "-C", pkgs, "bash", "a b", "c"];
    const build = async (): Promise<readonly string[]> => {
      await waitForClock();
      lab.ok(words);
      const found = statuses(lab);
      lab.next();
      return found.filter((one) => one.endsWith("new"));
    };
    expect(await build()).toHaveLength(3);
    expect(await build()).toEqual([]);
    put(pkgs, "bash/empty", "");
    rmSync(join(pkgs, "a b/etc/conf"));
    chmodSync(join(pkgs, "c/usr"), 0o700);
    expect(await build()).toEqual(["bash new", "a b new", "c new"]);
    expect(await build()).toEqual([]);
    rmSync(join(pkgs, "c/usr/lib/c.so.1"));
    symlinkSync("c.so", join(pkgs, "c/usr/lib/c.so.2"));
    mkdirSync(join(pkgs, "bash/dir"));
    expect(await build()).toEqual(["bash new", "c new"]);
  });

  it("packs again what stat cannot vouch for: a name with a line break, and what the layers are in", async () => {
    const root = makeScratch();
    put(root, "odd/a\nb");
    put(root, "plain/file");
    const lab = createLab(shell);
    const words = ["each", "-C", root, "odd", "plain"];
    await waitForClock();
    lab.ok(words);
    lab.next();
    await waitForClock();
    lab.ok(words);
    expect(statuses(lab)).toEqual(["odd new", "plain kept"]);
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

/** What find tells of a path. */
function line(type: string, time: string, path: string): string {
  return `1:2 1 ${type} 0 0 4 1.0 ${time} ${path}\n`;
}

it.each(awks)(
  "what changed in the tick in which it was looked at is not vouched for: %s",
  (...awk) => {
    const work = makeScratch();
    const end = line("f644", "1.0", join(work, "none"));
    const lines = [
      [line("f644", "1700000000.1230000000", "./a")],
      [line("f644", "1700000000.1240000000", "./b")],
      [
        line("d755", "1700000000.9000000000", "./c"),
        line("l777", "1700000001.0000000000", "./c/d"),
      ],
      [line("d755", "1700000000.9000000000", "./e")],
    ];
    writeFileSync(join(work, "paths"), "all a\nall b\nall c\nall e\n");
    writeFileSync(join(work, "walk"), lines.map((one) => one.join("") + end).join(""));
    writeFileSync(join(work, "now"), line("f644", "1700000000.1240000000", join(work, "clock")));
    const programs = ["split/stat.awk", "each/each.awk", "split/escape.awk"];
    const inputs = ["paths", "now", "walk"].flatMap((name) => [`mode=${name}`, join(work, name)]);
    const files = programs.flatMap((one) => ["-f", join(helperParts, one)]);
    const env = { ...process.env, layer_work: work, layer_template: "{}" };
    const [command, ...words] = awk;
    const result = spawnSync(command ?? "", [...words, ...files, ...inputs], {
      env,
      encoding: "utf8",
    });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(work, "unsure"), "utf8")).toBe("2\n3\n");
  },
);
