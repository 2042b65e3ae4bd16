import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildWithBuildx } from "../support/frontend.ts";
import { makeStart } from "./build-row.ts";
import { rows } from "./cases/rows.ts";
import { describeLayout } from "./describe-image.ts";
import { useFrontendRows } from "./frontend-rows.ts";
import { translateWords } from "./frontend-words.ts";
import { isFew } from "./world.ts";

// Files without OUTPUT through the frontend and without it, on one builder: the same image, or the same error. What is
// built second comes from the cache of what was built first where each step is the same one.

const lab = useFrontendRows();

interface PlainBuild {
  readonly context: string;
  readonly file: string;
  readonly words: readonly string[];
}

/** What becomes of a build: the digest, or the last words of the error. */
async function outcome(
  { words, ...build }: PlainBuild,
  syntax: string | undefined,
): Promise<object> {
  const directory = await mkdtemp(join(lab.sandbox.directory, "layout-"));
  const output = `--output=type=oci,tar=false,dest=${directory}`;
  const made = await buildWithBuildx(lab.buildKit, {
    ...build,
    frontend: syntax,
    words: [...words, output],
  });
  if (made.status === 0) return { digest: (await describeLayout(directory)).digest };
  const said = made.text.slice(made.text.lastIndexOf("\n------\n") + 1);
  const lines = said.split("\n").filter((line) => !/^#|^WARNING|^ \d+ warnings?|^$/.test(line));
  const error = lines.slice(-12).map((line) => line.replace(/ ref \S+::\w+/, " ref"));
  return { status: made.status, error };
}

let digests = 0;

/** Without the frontend, and through it. */
async function buildBoth(build: PlainBuild): Promise<readonly [object, object]> {
  const without = await outcome(build, undefined);
  if ("digest" in without) digests += 1;
  return [without, await outcome(build, lab.frontend)];
}

/** Names of the base images of a file. */
function listBases(text: string): readonly string[] {
  const names = [...text.matchAll(/^[ \t]*from[ \t]+(\S+)/gim)].map(([, name = ""]) => name);
  return [...new Set(names)].filter((name) => /^[a-z][\w.:/-]*$/.test(name) && name !== "scratch");
}

const corpus = "grammar/corpus/ok";
// A file that names a frontend of its own gets that without us.
const names = readdirSync(corpus).filter((name) => !/output|syntax/i.test(readCorpus(name)));

function readCorpus(name: string): string {
  return readFileSync(join(corpus, name, "Containerfile"), "latin1");
}

describe("files of the corpus", () => {
  const chosen = isFew ? names.filter((_, at) => at % 6 === 0) : names;

  test.each(chosen)("%s", async (name) => {
    const bases = listBases(readCorpus(name));
    const words = bases.map(
      (one) => `--build-context=${one}=docker-image://${lab.table.world.base}`,
    );
    const context = join(corpus, name);
    const [without, through] = await buildBoth({ context, file: "Containerfile", words });
    expect(through).toEqual(without);
  });
});

/** A program in the place of the helper, and directories in that of OUTPUT: then a row is an ordinary file. */
const instead =
  "RUN mkdir -p /layers/bin /layers/output/layers && printf '#!/bin/sh\\n' > /layers/bin/layer && chmod +x /layers/bin/layer";

describe("files of the lab.table, OUTPUT left out", () => {
  // Of stages that are built side by side any may fail first.
  const left = /Debian|COPY and mounts of stages/;
  const chosen = rows.filter(({ name, before }) => before === undefined && !left.test(name));

  test.each(
    chosen.filter((_, at) => !isFew || at % 6 === 0).map((row) => [row.name, row] as const),
  )("%s", async (_, row) => {
    const start = await makeStart(lab.table, row, "epoch");
    const file = join(start.context, "Containerfile.x");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replaceAll(/^OUTPUT .*$/gim, instead));
    const words = translateWords(start.words);
    const [without, through] = await buildBoth({
      context: start.context,
      file: "Containerfile.x",
      words,
    });
    expect(through).toEqual(without);
  });
});

test.skipIf(isFew)("so many of them are built", () => {
  expect(digests).toBeGreaterThanOrEqual(25);
});
