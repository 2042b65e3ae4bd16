import { expect, test } from "vitest";
import { createPrevious, digestOf } from "../../../test/support/layers/fixtures.ts";
import {
  describeRelease,
  maxReleases,
  type Release,
  renderReleases,
  takeReleases,
} from "./releases.ts";

const digest = digestOf(Buffer.from("layer"));

function release(at: number, more: Partial<Release> = {}): Release {
  const layers = [{ diffId: digest, name: "a-1" }];
  return {
    reference: `app:${at}`,
    digest: digestOf(Buffer.from(`${at}`)),
    created: at,
    layers,
    ...more,
  };
}

test("an image's layers are named as its history names them, entries without one aside", () => {
  const { image } = createPrevious([{ name: "libc6-2.36 bash-5.2", digest, diffId: digest }]);
  const described = describeRelease(image, "app:1");
  expect(described).toMatchObject({ reference: "app:1", digest: image.digest });
  expect(described.layers).toEqual([{ diffId: digest, name: "libc6-2.36 bash-5.2" }]);
});

test("names and references keep the form of the file, whatever is in them", () => {
  const odd = "x\nrelease\t1\\\u0007";
  const text = renderReleases([
    release(1_500, { reference: odd, layers: [{ diffId: digest, name: odd }] }),
    release(0, { created: undefined }),
  ]);
  const shown = String.raw`x\nrelease\t1\\` + "\u0007";
  expect(text.split("\n")).toEqual([
    `release\t1\t${digestOf(Buffer.from("1500"))}\t${shown}`,
    `layer\t${digest}\t${shown}`,
    `release\t-\t${digestOf(Buffer.from("0"))}\tapp:0`,
    `layer\t${digest}\ta-1`,
    "",
  ]);
});

test("the newest are taken, the oldest first, each once; those without a date are older than all", () => {
  const given = [
    release(3),
    release(1),
    release(3, { reference: "again" }),
    release(9, { created: undefined }),
  ];
  const { releases, left } = takeReleases(given);
  expect(releases.map(({ reference }) => reference)).toEqual(["app:9", "app:1", "app:3"]);
  expect(left).toBe(0);
  const many = takeReleases(Array.from({ length: maxReleases + 20 }, (_, at) => release(at + 1)));
  expect(many.left).toBe(20);
  expect(many.releases.at(0)?.reference).toBe("app:21");
  expect(many.releases).toHaveLength(maxReleases);
});

test("one with names of megabytes takes the room of no other", () => {
  const huge = release(5, { layers: [{ diffId: digest, name: "x".repeat(5 * 1024 * 1024) }] });
  const { releases, left } = takeReleases([release(1), huge, release(6)]);
  expect(releases.map(({ reference }) => reference)).toEqual(["app:1", "app:6"]);
  expect(left).toBe(1);
});
