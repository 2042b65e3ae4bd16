import { expect, test } from "vitest";
import type { ImageConfig } from "../oci/oci.ts";
import { withTimesOf } from "./keep-times.ts";

const made: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  config: { Labels: { created: "one", "moby.buildkit.cache.v0": "x" } },
  rootfs: { type: "layers", diff_ids: [] },
  history: [{ created_by: "a" }, { created_by: "b", created: "2020-01-01T00:00:00Z" }],
};
const times = {
  ...made,
  created: "2021-01-01T00:00:00Z",
  history: [
    { created: "2019-01-01T00:00:00Z", created_by: "a" },
    { created_by: "b", created: "2020-01-01T00:00:00Z" },
  ],
};
const read = (previous: object): ImageConfig | undefined =>
  withTimesOf(made, Buffer.from(JSON.stringify(previous)));

test("the same image in all but times has the previous one's", () => {
  const { history, ...rest } = times;
  expect(read({ history, "moby.buildkit.cache.v0": "cache", ...rest })).toEqual(times);
});

test.each([
  ["another label of that name", { ...times, config: { Labels: { created: "two" } } }],
  ["a label more", { ...times, config: { Labels: { ...made.config?.Labels, more: "1" } } }],
  ["another key", { ...times, "io.other": "1" }],
  ["an entry less", { ...times, history: times.history.slice(1) }],
  [
    "a time that was said",
    {
      ...times,
      history: [times.history[0], { created_by: "b", created: "2018-01-01T00:00:00Z" }],
    },
  ],
])("%s: it is another image", (_, previous) => {
  expect(read(previous)).toBeUndefined();
});

test.each([
  ["whose times are null", { ...made, created: null, history: null }],
  ["whose times are numbers", { ...times, created: 1 }],
])("a previous image %s is another one", (_, previous) => {
  expect(read(previous)).toBeUndefined();
});
