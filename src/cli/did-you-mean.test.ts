import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captureIo } from "../../test/support/capture-io.ts";
import { XbuildError } from "../errors.ts";
import { runCommand } from "./commands.ts";
import { showError } from "./report/failure.ts";

// A slip is answered with what was meant most likely, before any engine is called.

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-meant-"));
  await mkdir(join(directory, "chekc"));
  await writeFile(
    join(directory, "Containerfile"),
    "FROM scratch\nOUTPUT /l\nRUN /l/bin/layer list\n",
  );
});
afterAll(() => rm(directory, { recursive: true }));

interface Refused {
  readonly text: string;
  readonly exitStatus: number;
}

async function refuse(words: readonly string[]): Promise<Refused> {
  const env = { PATH: process.env["PATH"], HOME: directory, XBUILD_STORE: join(directory, "s") };
  const { io } = captureIo({ cwd: directory, env });
  try {
    await runCommand(words, io);
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return { text: showError(error, io).visible, exitStatus: error.exitStatus };
  }
  throw new Error(`nothing was refused: ${words.join(" ")}`);
}

describe("on the command line", () => {
  test.each([
    ["imagess", "xbuild images"],
    ["biuld .", "xbuild build"],
    ["cach prune --all", "xbuild cache"],
    ["rebas app --onto b", "xbuild rebase"],
    ["CHECK", "xbuild check"],
    ["cache prun", "prune"],
    ["--no-cahce .", "--no-cache"],
    ["build --plattform=linux/amd64 .", "--platform"],
    ["--trust-cache=nmaed .", "named"],
    ["--input=loacl .", "local"],
    ["--pull=neewr .", "newer"],
    ["--format=dokcer .", "docker"],
    ["--engine=biuldah .", "buildah"],
    ["check --fromat=json", "--format"],
    ["check --format=jsno", "json"],
    ["images --format=jsno", "json"],
    ["cache ls --formt=json", "--format"],
    ["cache prune --max-szie=1g", "--max-size"],
    ["rebase app --otno b", "--onto"],
    ["bake --prnt", "--print"],
    ["expand --no-cahce .", "--no-cache"],
    ["--target=0 --engien=buildah .", "--engine"],
  ])("%s", async (line, meant) => {
    const { text, exitStatus } = await refuse(line.split(" "));
    expect(text).toContain(`did you mean ${meant}?`);
    expect(exitStatus).toBe(125);
  });

  test("a word that is like no command: both that it could be are named", async () => {
    expect(await refuse(["nowhere"])).toEqual({
      text: expect.stringContaining(
        "error[context-not-found]: there is no command nowhere, and no directory of that name to build\n  hint: name a directory; see xbuild --help",
      ),
      exitStatus: 125,
    });
  });

  test("a directory is a context, whatever it is like; so is what stands behind build", async () => {
    expect((await refuse(["chekc"])).text).toContain("error[file-not-found]: no Containerfile.x");
    expect((await refuse(["build", "chekk"])).text).toContain("the context chekk does not exist");
  });
});

async function build(text: string, ...words: string[]): Promise<Refused> {
  await writeFile(join(directory, "mistyped"), text);
  return refuse([...words, "-f", "mistyped", "."]);
}

describe("OUTPUT", () => {
  test.each(["OUTPTU", "OUPUT", "outputs", "OUTPUT,", "OUTPUT:"])(
    "%s in a file without OUTPUT",
    async (word) => {
      const { text, exitStatus } = await build(`FROM scratch\n${word} /layers\nRUN true\n`);
      expect(text).toContain(
        `mistyped:2:1: error[instruction-unknown]: unknown instruction ${word.toUpperCase()}\n`,
      );
      expect(text).toContain("  hint: did you mean OUTPUT?");
      expect(exitStatus).toBe(1);
    },
  );

  test("before a flag that only OUTPUT gives a meaning, and one that nobody knows", async () => {
    const text = "FROM scratch\nOUTPTU /layers\nRUN true\n";
    for (const flag of ["--push", "--squash", "--no-such-flag"])
      expect((await build(text, flag)).text).toContain("did you mean OUTPUT?");
  });

  test("in the target, where another stage has an OUTPUT", async () => {
    const text = "FROM scratch AS a\nOUTPUT /l\nRUN true\nFROM scratch\nOUPUT /l\nRUN true\n";
    expect((await build(text)).text).toMatch(/mistyped:5:1: .*\n(?:.*\n){2}.*did you mean OUTPUT/);
    expect((await build(text, "expand")).text).toContain("did you mean OUTPUT?");
  });

  test("other slips in a file with OUTPUT", async () => {
    const { text } = await build("FROM scratch\nOUTPUT /l\nRNU true\nCPOY a b\nRUN true\n");
    expect(text).toContain("did you mean RUN?");
    expect(text).toContain("did you mean COPY?");
  });
});
