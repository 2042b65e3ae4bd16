import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { runExpand } from "./expand.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-expand-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function expand(text: string, ...words: readonly string[]): Promise<string> {
  await writeFile(join(directory, "Containerfile.x"), text);
  const env = { PATH: process.env["PATH"], HOME: directory };
  const { io, printed } = captureIo({ cwd: directory, env });
  expect(await runExpand([...words, "."], io)).toBe(0);
  return printed.stdout;
}

const output =
  "FROM a AS t\nRUN t\nFROM b\nARG X=1\nOUTPUT /layers\nCOPY --from=t /1 /2\nRUN r\nCMD c\n";

describe("xbuild expand", () => {
  it.each(["FROM a\r\nRUN \\\r\n  b", "# nothing\nFROM a\n", "FROM a\nRUN <<E\nx\nE\n"])(
    "gives a file without OUTPUT back as it is: %j",
    async (text) => {
      expect(await expand(text)).toBe(text);
    },
  );

  it("shows each call with its plain Containerfile, in order", async () => {
    const script = await expand(output, "-t", "app");
    expect(script.match(/^# \d.*/gm)).toEqual([
      "# 1. stage t",
      "# 2. environment",
      "# 3. layering steps",
    ]);
    expect(script).not.toContain("OUTPUT");
    expect(script).toContain(
      "<<'CONTAINERFILE'\nFROM a AS t\nRUN t\nFROM b\nARG X=1\nCONTAINERFILE\n",
    );
    expect(script).toMatch(/COPY --from=localhost\/xbuild-env:[0-9a-f]{16} \/1 \/2\n/);
    expect(script).toContain('"--volume=$XBUILD_RUN/layers:/layers:ro"');
  });

  it("shows several targets one behind the other, each by its own flags", async () => {
    const words = ["--target", "t", "-t", "one", "--target=b", "-t", "two"];
    const script = await expand(output.replace("FROM b", "FROM b AS b"), ...words);
    const [plain, script2 = ""] = script.split(/(?=^#!)/m);
    expect(plain?.replace(/\n+/g, "\n").trimEnd()).toBe(
      "# The target t\nFROM a AS t\nRUN t\nFROM b AS b\nARG X=1\n# The target b",
    );
    expect(script2.match(/^# \d.*/gm)).toEqual([
      "# 1. stage t",
      "# 2. environment",
      "# 3. layering steps",
    ]);
  });

  it("masks what looks secret", async () => {
    const words = ["--build-arg=API_TOKEN=hush", "--build-arg=PLAIN=seen", "--creds=me:hush"];
    const script = await expand(output, ...words, "--build-arg=X=2");
    expect(script).not.toContain("hush");
    expect(script).toContain("'--build-arg=API_TOKEN=***'");
    expect(script).toContain("--build-arg=PLAIN=seen");
    expect(script).toContain("'--creds=me:***'");
  });

  it("ends a text with a word that stands in none of its lines", async () => {
    const script = await expand("FROM a\nOUTPUT /l\nRUN x\nCMD y\n#\nENV CONTAINERFILE=1\n");
    expect(script).toContain("<<'CONTAINERFILE'\n");
    expect(await expand(`FROM a\nRUN b \\\nCONTAINERFILE\nOUTPUT /l\nRUN x\n`)).toContain(
      "<<'CONTAINERFILE_'\n",
    );
  });
});
