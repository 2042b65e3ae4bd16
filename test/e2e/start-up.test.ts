import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mainFile } from "../support/xbuild.ts";

// The program and V8's code of it, which only saves time.

const dist = dirname(dirname(mainFile));
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-start-"));
  await cp(dist, join(directory, "dist"), { recursive: true });
  await copyFile(join(dist, "../package.json"), join(directory, "package.json"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test("V8 takes the code that was made when the program was built", async () => {
  const file = join(dist, "program.cjs");
  const cachedData = (await readFile(`${file}.code`)).subarray(32);
  const source = await readFile(file, "latin1");
  // It has no loader.
  expect(source).not.toMatch(/[^\w$."]import\(/);
  const script = new Script(source, {
    filename: "program.cjs",
    cachedData,
  });
  expect(script.cachedDataRejected).toBe(false);
});

test.each<readonly [string, (code: Buffer) => Buffer | undefined]>([
  ["as it is", (code) => code],
  ["missing", () => undefined],
  ["empty", () => Buffer.alloc(0)],
  ["cut off", (code) => code.subarray(0, code.length / 2)],
  ["changed by a fault of the disk", (code) => Buffer.from(code).fill(255, 5000, 5100)],
])("code that is %s: the same program", async (_, change) => {
  const file = join(directory, "dist/program.cjs.code");
  const code = change(await readFile(join(dist, "program.cjs.code")));
  await (code === undefined ? rm(file) : writeFile(file, code));
  const program = join(directory, "dist/cli/main.js");
  const sample = join(directory, "Containerfile.x");
  await writeFile(sample, "FROM scratch\nOUTPUT /layers\nRUNN true\n");
  const { exitCode, stdout } = await execa(
    process.execPath,
    [program, "check", "-f", sample, directory],
    {
      reject: false,
    },
  );
  expect(exitCode).toBe(1);
  expect(stdout).toContain("Containerfile.x:3:1: error[");
});

test("the code of another program is none", async () => {
  const file = join(directory, "dist/program.cjs");
  await copyFile(join(dist, "program.cjs.code"), `${file}.code`);
  const text = await readFile(file, "latin1");
  // V8 itself looks at the length alone.
  await writeFile(
    file,
    text.replaceAll("whose layers the build", "WHOSE LAYERS THE BUILD"),
    "latin1",
  );
  const { stdout } = await execa(process.execPath, [join(directory, "dist/cli/main.js"), "--help"]);
  await copyFile(join(dist, "program.cjs"), file);
  expect(stdout).toContain("WHOSE LAYERS THE BUILD");
});

test("it runs through a link, as npm makes one, and from any directory", async () => {
  const link = join(directory, "xbuild");
  await symlink(join(directory, "dist/cli/main.js"), link);
  const { stdout } = await execa(link, ["--help"], { cwd: "/" });
  expect(stdout).toContain("xbuild");
});

test.each([
  ["a thread of Node's pool for each core", 6, {}, "6"],
  ["no more than 16", 64, {}, "16"],
  ["as many as there are, where there are few cores", 2, {}, "undefined"],
  ["those that the user has asked for", 64, { UV_THREADPOOL_SIZE: "5" }, "5"],
] as const)("layers are compressed on %s", async (_, cores, env, size) => {
  const hook = join(directory, "cores.cjs");
  await writeFile(
    hook,
    `require("node:os").availableParallelism = () => ${cores};
     process.on("exit", () => console.error("pool:", process.env.UV_THREADPOOL_SIZE));`,
  );
  const words = ["--require", hook, join(dist, "cli/main.js"), "images", "--help"];
  const { stderr } = await execa(process.execPath, words, { env });
  expect(stderr).toBe(`pool: ${size}`);
});
