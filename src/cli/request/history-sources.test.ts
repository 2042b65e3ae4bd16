import { expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { listHistorySources } from "./history-sources.ts";

/** What is named, and which of some tags fit. */
async function list(...values: readonly string[]): Promise<readonly string[]> {
  const sources = await listHistorySources(values, captureIo().io);
  return sources.map((one) => {
    if (one.kind === "image") return one.reference.name;
    const tags = ["v1", "v2", "w"].filter((tag) => one.tags.matches(tag));
    return `${one.repository} ${tags.join(" ")}`;
  });
}

test.each<[string, readonly string[]]>([
  ["registry.example/app:main", ["registry.example/app:main"]],
  ["registry.example:5000/a , localhost/b:x", ["registry.example:5000/a:latest", "localhost/b:x"]],
  ["oci:/a,b*:x", ["oci:/a,b*:x"]],
  [
    "registry.example:5000/app:v*,localhost/app:[w]",
    ["registry.example:5000/app v1 v2", "localhost/app w"],
  ],
  ["docker.io/app:*", ["docker.io/library/app v1 v2 w"]],
])("%s", async (value, names) => expect(await list(value)).toEqual(names));

test.each(["registry.example/app*", "registry.example/a*:v1", "registry.example/app:v[", ",", ""])(
  "%s is refused",
  async (value) => {
    await expect(list(value)).rejects.toMatchObject({ code: "usage" });
  },
);
