import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, helperScript, listShells, makeScratch, put } from "./lab.ts";
import { execute, makeMergedRoot, putDpkg } from "./roots.ts";

const [dash] = listShells();

/** Runs a helper whose output/ is a disk of this many KiB, and tells what is in it afterwards. */
function runOnSmallDisk(shellPath: string, kibibytes: number, script: string): string {
  if (dash === undefined) throw new Error("no shell");
  const lab = createLab(dash);
  const root = makeMergedRoot();
  put(root, "usr/share/big", Buffer.alloc(1 << 20, "x"));
  put(root, "usr/share/small", "small");
  putDpkg(root, [
    { name: "big", list: ["/usr/share/big"] },
    { name: "small", list: ["/usr/share/small"] },
  ]);
  const setup = `set -e; layer=$1/bin/layer output=$1/output root=$2
    mount -t tmpfs -o size=${kibibytes}k tmpfs "$output"
    cd "$root"; set +e
    ${script}
    echo "status $?"; cat "$output"/history.jsonl; ls -A "$output/layers"`;
  const result = spawnSync("unshare", ["-m", "sh", "-c", setup, "sh", lab.base, root], {
    encoding: "utf8",
    env: { PATH: shellPath },
  });
  return result.stdout + result.stderr;
}

const path = process.env["PATH"] ?? "";
const whole = '{"created_by":"a","path":"layers/add-N-0.tar"}\n';

describe("a full disk", () => {
  it.each([
    ["add of paths", '"$layer" add a usr/share/small; "$layer" add b usr/share/big'],
    ["add of a stream", '"$layer" add a usr/share/small; "$layer" add b - <usr/share/big'],
    ["split", '"$layer" add a usr/share/small; "$layer" split dpkg "$root"'],
  ])("fails %s and leaves nothing of it", (_what, script) => {
    const said = runOnSmallDisk(path, 512, script).replace(/add-\d+-/g, "add-N-");
    expect(said).toMatch(/status 1\n/);
    expect(said).toContain(`status 1\n${whole}add-N-0.tar\n`);
    // Several programs may have written on one line.
    expect(said).toMatch(/layer: [^\n]+$/m);
  });

  it("leaves no half entry", () => {
    // The history grows up to the end of a block; the next entry would need another.
    const fill = `"$layer" add a usr/share/small
      dd if=/dev/zero of="$output/filler" bs=1k 2>/dev/null
      while [ "$(wc -c <"$output/history.jsonl")" -lt 4060 ]; do echo '{"created_by":"x"}'; done >>"$output/history.jsonl"
      printf 'sha256:1\\tsha256:1\\t1\\tkept\\n' >"\${layer%/bin/layer}/names"
      "$layer" keep kept; status=$?; tail -n 1 "$output/history.jsonl"; (exit "$status")`;
    const said = runOnSmallDisk(path, 64, fill);
    expect(said).toContain('{"created_by":"x"}\nstatus 1\n');
    expect(said).toMatch(/layer: cannot write output\/history\.jsonl/);
  });
});

describe("a tar that fails", () => {
  it("fails add and split", () => {
    if (dash === undefined) throw new Error("no shell");
    const tools = makeScratch();
    put(
      tools,
      "tar",
      '#!/bin/sh\ncase $1 in --version) echo "tar (GNU tar) 1.34" ;; *) exit 2 ;; esac\n',
    );
    chmodSync(join(tools, "tar"), 0o755);
    const lab = createLab({ ...dash, path: `${tools}:${path}` });
    const root = makeMergedRoot();
    putDpkg(root, [{ name: "a", list: ["/usr/bin"] }]);
    for (const args of [
      ["add", "x", "etc"],
      ["split", "dpkg", root],
    ]) {
      const result = lab.run(args, { cwd: root });
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toMatch(/^layer: tar failed, nothing was added\n$/);
    }
    expect(readdirSync(join(lab.output, "layers"))).toEqual([]);
    expect(lab.entries()).toEqual([]);
  });

  it.each(["awk", "tar"])("is said where there is no %s at all", (missing) => {
    if (dash === undefined) throw new Error("no shell");
    const tools = makeScratch();
    const all =
      "id sed head mkdir rm find sort awk tar grep readlink nproc sha256sum mv cp stat".split(" ");
    for (const tool of all.filter((name) => name !== missing)) {
      symlinkSync(execute("sh", ["-c", `command -v ${tool}`]).trim(), join(tools, tool));
    }
    const lab = createLab({ ...dash, command: ["/bin/dash"], path: tools });
    const root = makeMergedRoot();
    putDpkg(root, [{ name: "a", list: ["/usr/bin"] }]);
    const result = lab.run(["split", "dpkg", root]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(new RegExp(`^layer: .*${missing}.*, install it|one`));
  });
});

describe("a run that is stopped", () => {
  it("cleans up", async () => {
    if (dash === undefined) throw new Error("no shell");
    const lab = createLab(dash);
    const layers = join(lab.output, "layers");
    // The stream never ends; all get the signal while the helper reads.
    const args = ["-c", 'sleep 60 | dash "$1" add x -', "sh", join(lab.base, "bin/layer")];
    const run = spawn("sh", args, { detached: true });
    await expect
      .poll(() => (existsSync(layers) ? readdirSync(layers).length : 0), { timeout: 20_000 })
      .toBe(1);
    if (run.pid === undefined) throw new Error("not started");
    process.kill(-run.pid, "SIGTERM");
    await expect.poll(() => readdirSync(layers), { timeout: 20_000 }).toEqual([]);
    expect(lab.entries()).toEqual([]);
  });
});

describe("the joined helper", () => {
  it("has nothing that shellcheck finds", () => {
    expect(
      spawnSync("shellcheck", ["--shell=sh", helperScript], { encoding: "utf8" }),
    ).toMatchObject({ status: 0, stdout: "" });
  });

  it.each(listShells().map((shell) => [shell.name, shell] as const))(
    "is read by %s",
    (_name, shell) => {
      const [command = "", ...args] = shell.command;
      expect(spawnSync(command, [...args, "-n", helperScript], { encoding: "utf8" })).toMatchObject(
        { status: 0, stderr: "" },
      );
    },
  );
});
