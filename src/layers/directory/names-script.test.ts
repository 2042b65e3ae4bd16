import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { array, assert, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";
import { createDirectory } from "../../../test/support/layers/fixtures.ts";
import { renderCases } from "./history-document.ts";

const shells = { dash: [], bash: ["--posix"], busybox: ["sh"] };
const read = '. "$0"; printf "%s|%s" "${digest-}" "${unlisted-}"';

function isPlain(name: string): boolean {
  return /^[ -~]*$/.test(name);
}

test.each(Object.entries(shells))(
  "%s finds what names say, and runs none of them",
  (shell, words) => {
    const file = join(createDirectory(), "names.sh");
    const look = (name: string): string =>
      spawnSync(shell, [...words, "-c", read, file, name], { encoding: "utf8" }).stdout;
    const plain = string({ unit: "binary-ascii", minLength: 1, maxLength: 12 });
    const name = oneof(plain, string({ unit: "grapheme", minLength: 1, maxLength: 8 })).map(
      (text) => text.replaceAll("\0", "'"),
    );
    assert(
      property(array(name, { minLength: 1, maxLength: 4 }), (names) => {
        writeFileSync(file, renderCases(names.map((one, index) => [one, `sha256:${index}`])));
        for (const one of names) {
          const found = isPlain(one) ? `sha256:${names.lastIndexOf(one)}|` : "|yes";
          expect(look(one)).toBe(found);
        }
        const others = names.every(isPlain) ? "|" : "|yes";
        expect(look(`${names.join("")}x`)).toBe(others);
      }),
      { numRuns: 30 },
    );
  },
);
