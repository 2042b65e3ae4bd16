import { expect, test } from "vitest";
import { buildLayout } from "../support/frontend.ts";
import { buildStart, makeStart } from "./build-row.ts";
import { rows } from "./cases/rows.ts";
import { describeImage, describeLayout, type ImageText } from "./describe-image.ts";
import { useFrontendRows } from "./frontend-rows.ts";
import { translateWords } from "./frontend-words.ts";
import { isFew } from "./world.ts";

// The rows of the table, through the frontend: the same names, config and files as the command comes to with BuildKit.
// BuildKit writes the archives of new layers, so digests are not compared.

const lab = useFrontendRows();

/** What cannot be equal: layers that BuildKit writes, and a stage without OUTPUT as the image, of which the times are its own. */
const different = new Set([
  "a block device in a tree",
  "attributes and capabilities",
  "times: fractions, before 1970, after the epoch",
  "blobs bit for bit: plain, gzip, zstd",
  "config.json and annotations.json",
  "a target without OUTPUT on a stage that has one",
]);

const chosen = rows.filter(({ name }, at) => !different.has(name) && (!isFew || at % 5 === 0));

test.each(chosen.map((row) => [row.name, row] as const))("%s", async (_, row) => {
  const start = await makeStart(lab.table, row, "epoch");
  const [column] = lab.table.columns;
  if (column === undefined) throw new Error("the table has no columns");
  const reference = await describeImage(await buildStart(lab.table, column, start));
  const layout = await buildLayout(lab.sandbox, lab.buildKit, {
    context: start.context,
    file: "Containerfile.x",
    frontend: lab.frontend,
    words: translateWords(start.words),
    env: start.env,
  });
  const here = Object.values(reference.layers).map((lines) => lines.length > 0);
  expect(summarize(await describeLayout(layout), here)).toEqual(summarize(reference, here));
});

/** @param here which layers' bytes both have: of kept ones the command has none */
function summarize(
  { names, config, manifest, layers }: ImageText,
  here: readonly boolean[],
): object {
  const { architecture, os, author } = config;
  return {
    names,
    config: config.config ?? {},
    platform: { architecture, os, author },
    history: config.history?.map(({ created_by: by, comment, author, empty_layer: empty }) => ({
      by,
      comment,
      author,
      empty,
    })),
    annotations: Object.entries(manifest.annotations ?? {}).filter(
      ([key]) => !key.startsWith("io.xbuild."),
    ),
    files: Object.values(layers)
      .filter((_, at) => here[at])
      .map((lines) =>
        lines
          .filter((one) => !isImplied(one))
          .map(withoutWhiteoutMode)
          .sort(),
      ),
  };
}

/** A whiteout that BuildKit writes has none. */
function withoutWhiteoutMode(line: string): string {
  return line.replace(/^-\S{9}(?= \S+ (?:\S+\/)?\.wh\.)/, "-".repeat(10));
}

/** Directories that BuildKit's archives have where nobody wrote an entry for them. */
function isImplied(line: string): boolean {
  return /^drwx\S+ 0\/0 (?:etc|bin|usr|opt)\/ /.test(line);
}
