import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, createDirectory, writeFiles } from "../../../test/support/layers/fixtures.ts";

function createOutput(files: Readonly<Record<string, string>> = {}): string {
  return writeFiles(createDirectory(), { "layers/a/x": "x", "state/keep": "1", ...files });
}

describe("output/state", () => {
  it("is copied with its times, readable for all, and may be empty", async () => {
    const output = createOutput({ "state/d/program": "p" });
    execFileSync("chmod", ["700", join(output, "state/d"), join(output, "state/d/program")]);
    execFileSync("chmod", ["600", join(output, "state/keep")]);
    execFileSync("touch", ["-d", "@1000", join(output, "state/keep")]);
    writeFileSync(Buffer.concat([Buffer.from(join(output, "state/")), Buffer.from([0xff])]), "b");
    const { state = "" } = await collect(output);
    const modeOf = (path: string): string => (statSync(join(state, path)).mode & 0o777).toString(8);
    expect(["", "d", "d/program", "keep"].map((path) => modeOf(path))).toEqual([
      "755",
      "755",
      "755",
      "644",
    ]);
    expect(statSync(join(state, "keep")).mtimeMs).toBe(1_000_000);
    expect(
      readFileSync(Buffer.concat([Buffer.from(`${state}/`), Buffer.from([0xff])]), "utf8"),
    ).toBe("b");
    const empty = writeFiles(createDirectory(), { "layers/a/x": "x" });
    mkdirSync(join(empty, "state"));
    expect((await collect(empty)).state).toBeDefined();
  });

  it("leaves out links and special files, with a warning each", async () => {
    const output = createOutput();
    symlinkSync("/etc/shadow", join(output, "state/link"));
    symlinkSync("/etc", join(output, "state/directory"));
    execFileSync("mkfifo", [join(output, "state/fifo")]);
    const { state = "", warnings } = await collect(output);
    expect(execFileSync("ls", [state], { encoding: "utf8" })).toBe("keep\n");
    expect(warnings.map(({ code, file }) => [code, file])).toEqual([
      ["output-state-file", "output/state/directory"],
      ["output-state-file", "output/state/fifo"],
      ["output-state-file", "output/state/link"],
    ]);
  });

  it.each([
    ["bytes", (state: string) => truncateSync(join(state, "keep"), 300 * 1024 ** 2)],
    [
      "files",
      (state: string) => execFileSync("sh", ["-c", `cd ${state} && seq 20001 | xargs touch`]),
    ],
    ["levels", (state: string) => mkdirSync(join(state, "d/".repeat(40)), { recursive: true })],
  ])("is refused with too many %s", async (_what, fill) => {
    const output = createOutput();
    fill(join(output, "state"));
    await expect(collect(output)).rejects.toMatchObject({ code: "output-state-too-large" });
  });
});

describe("directories of several layers", () => {
  it("are a warning where one changes mode or owner of one below", async () => {
    const output = writeFiles(createDirectory(), {
      "layers/1-a/usr/bin/a": "a",
      "layers/2-b/usr/bin/b": "b",
      "layers/3-c/usr/bin/c": "c",
    });
    execFileSync("chmod", ["700", join(output, "layers/2-b/usr/bin")]);
    execFileSync("chown", ["5:6", join(output, "layers/2-b/usr")]);
    const { warnings } = await collect(output);
    expect(warnings).toMatchObject([
      {
        code: "layer-directory-changed",
        severity: "warning",
        message:
          'the layer "b" changes directories of a layer below it: /usr (mode 755, owner 0:0 in a; now mode 755, owner 5:6), /usr/bin (mode 755, owner 0:0 in a; now mode 700, owner 0:0)',
      },
      {
        code: "layer-directory-changed",
        message: expect.stringContaining('the layer "c" changes'),
      },
    ]);
  });
});
