import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createDirectory,
  createPrevious,
  digestOf,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { unknownNameFile } from "./helper-notes.ts";
import { explainUnknownName } from "./unknown-name.ts";

const previous = ["bash-5.2.15", "bash-doc-1", "nginx-1.22"].map((name) => ({
  name,
  digest: digestOf(Buffer.from(name)),
  diffId: digestOf(Buffer.from(name)),
}));

function explain(noted: string | undefined): string | undefined {
  const files = noted === undefined ? {} : { [unknownNameFile]: noted };
  return explainUnknownName(writeFiles(createDirectory(), files), [createPrevious(previous)]);
}

describe("explainUnknownName", () => {
  it.each([
    ["a slip", "ngnix-1.22\n", "did you mean nginx-1.22?"],
    ["another version", "bash-9.9.9-1+deb12u4\n", "did you mean bash-5.2.15, bash-doc-1?"],
    ["nothing like it", "zzz\n", '"zzz" found no layer of that name in the previous image:'],
    ["an escaped name", "a\\tb\\\\n\n", String.raw`"a\tb\\n"`],
  ])("names what is near: %s", (_, noted, hint) => {
    expect(explain(noted)).toContain(hint);
  });

  it("says that there is no previous image", () => {
    const output = writeFiles(createDirectory(), { [unknownNameFile]: "a\n" });
    expect(explainUnknownName(output, [])).toContain("there is no previous image");
  });

  it.each([undefined, "", "\n"])("says nothing where nothing was noted: %j", (noted) => {
    expect(explain(noted)).toBeUndefined();
  });

  it("does not read what is no plain file, and of a large one its beginning", () => {
    const output = createDirectory();
    symlinkSync("/etc/passwd", join(output, unknownNameFile));
    expect(explainUnknownName(output, [])).toBeUndefined();
    const other = createDirectory();
    mkdirSync(join(other, unknownNameFile));
    expect(explainUnknownName(other, [])).toBeUndefined();
    expect(explain("x".repeat(5_000_000))?.length).toBeLessThan(400);
  });
});
