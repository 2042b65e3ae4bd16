import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { separateSections } from "../../scripts/join-helper.mjs";
import { helperParts, joinedHelper } from "../support/joined-helper.ts";
import { awks, createLab, listShells, makeScratch } from "./lab.ts";

const parts = readdirSync(helperParts, { recursive: true, encoding: "utf8" })
  .filter((part) => /\.(?:sh|awk)$/.test(part))
  .sort();
const shellParts = parts.filter((part) => part.endsWith(".sh"));
const ownPrograms = ["split/decide.awk", "split/history.awk"];
const commonPrograms = parts.filter((part) => part.endsWith(".awk") && !ownPrograms.includes(part));
const read = (part: string): string => readFileSync(join(helperParts, part), "utf8");

/** Whether an awk reads these programs as one, without running any of it. */
function loadPrograms(awk: readonly string[], programs: readonly string[]) {
  const [command = "", ...args] = awk;
  const first = join(makeScratch(), "exit.awk");
  writeFileSync(first, "BEGIN { exit }\nEND { exit }\n");
  const files = [first, ...programs].flatMap((program) => ["-f", program]);
  const result = spawnSync(command, [...args, ...files], { encoding: "utf8", input: "" });
  return { status: result.status, said: result.stdout + result.stderr };
}

const loaded = { status: 0, said: "" };

describe("the parts of the helper", () => {
  it("hold nothing that shellcheck finds, each alone", () => {
    // helper/.shellcheckrc leaves out what other parts answer for; the joined helper has no such leave.
    const files = shellParts.map((part) => join(helperParts, part));
    const found = spawnSync("shellcheck", files, { encoding: "utf8" });
    expect(found).toMatchObject({ status: 0, stdout: "" });
  });

  it.each(listShells().map((shell) => [shell.name, shell] as const))(
    "are read by %s, each alone",
    (_name, shell) => {
      const [command = "", ...args] = shell.command;
      for (const part of shellParts) {
        const file = join(helperParts, part);
        const result = spawnSync(command, [...args, "-n", file], { encoding: "utf8" });
        expect({ part, status: result.status, said: result.stderr }).toEqual({ part, ...loaded });
      }
    },
  );

  it("all stand in the joined helper", () => {
    const joined = new Set(joinedHelper.places.map((place) => place.file));
    for (const part of parts) {
      expect(joined).toContain(`helper/${part}`);
    }
  });

  it("come out at the places that the joined helper tells of", () => {
    const lines = joinedHelper.text.split("\n");
    for (const [index, place] of joinedHelper.places.entries()) {
      const line = lines[index] ?? "";
      if (line === "" || line.startsWith("# ---- ") || place.file === "helper/kinds") continue;
      const own = read(place.file.slice("helper/".length)).split("\n")[place.line - 1] ?? "";
      // The second is how one of awk stands between the shell's quotes.
      expect([own, own.replaceAll("'", String.raw`'\''`)]).toContain(line);
    }
  });
});

describe.each(awks.map((awk) => [awk.join(" "), awk] as const))(
  "the programs under %s",
  (_, awk) => {
    const common = commonPrograms.map((part) => join(helperParts, part));

    it("load without any kind of packages", () => {
      expect(loadPrograms(awk, common)).toEqual(loaded);
      for (const part of ownPrograms)
        expect(loadPrograms(awk, [join(helperParts, part)])).toEqual(loaded);
    });

    it.each(joinedHelper.kinds)("load with %s alone", (kind) => {
      const section = join(makeScratch(), `${kind}.awk`);
      writeFileSync(section, separateSections(read(`kinds/${kind}.sh`)).awk);
      expect(loadPrograms(awk, [...common, section])).toEqual(loaded);
    });
  },
);

describe("the kinds of packages", () => {
  const docs = readFileSync(new URL("../../docs/layer-helper.md", import.meta.url), "utf8");
  const files = parts.flatMap((part) => /^kinds\/(.*)\.sh$/.exec(part)?.[1] ?? []);

  it("are those that have a file", () => {
    expect([...joinedHelper.kinds].sort()).toEqual(files);
  });

  it("are those that docs/layer-helper.md tells of, in the same order", () => {
    const [, sentence = ""] = /^KIND is one or more of ([^\n]*) with commas/m.exec(docs) ?? [];
    const named = [...sentence.matchAll(/`([a-z0-9]+)`/g)].map(([, kind]) => kind);
    expect(named).toEqual(joinedHelper.kinds);
    const rows = docs.split("| kind | reads |")[1]?.split("\n\n")[0] ?? "";
    expect([...rows.matchAll(/^\| ([a-z0-9]+) \|/gm)].map(([, kind]) => kind)).toEqual(
      joinedHelper.kinds,
    );
  });

  it.each(listShells())("are those that the usage under $name tells of", (shell) => {
    const [, sentence = ""] =
      /one or more of (.*) with commas/.exec(createLab(shell).run(["--help"]).stdout) ?? [];
    expect(sentence.split(/, | and /)).toEqual(joinedHelper.kinds);
  });

  it.each(joinedHelper.kinds)("hold the one %s in its own file", (kind) => {
    const word = new RegExp(`\\b${kind}\\b`);
    for (const part of parts) {
      if (part === `kinds/${kind}.sh`) continue;
      const code = read(part).replaceAll(/^ *#.*$/gm, "");
      expect({ part, names: word.test(code) }).toEqual({ part, names: false });
    }
  });
});
