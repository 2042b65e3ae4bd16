import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withTemporaryDirectory } from "../../../test/support/images.ts";
import { findStoredName } from "./stored-names.ts";

const one = "1".repeat(64);
const list = "2".repeat(64);

const images = [
  { id: one, names: ["localhost/app:latest", "host:5000/team/app:v1"], layer: "3".repeat(64) },
  { id: list, names: ["localhost/list:latest"] },
  { id: "no id", names: ["localhost/odd:latest"], layer: "3" },
  { id: list, names: ["localhost/twice:latest"], layer: "3" },
  { id: one, names: ["localhost/twice:latest"], layer: "3" },
  { id: list, names: null },
  "odd",
];

function find(name: string, text = JSON.stringify(images)): Promise<string | undefined> {
  return withTemporaryDirectory(async (root) => {
    await mkdir(join(root, "vfs-images"));
    await writeFile(join(root, "vfs-images", "images.json"), text);
    return findStoredName(name, { root, driver: "vfs" });
  });
}

describe("an image's name in a storage's own list", () => {
  it.each(["localhost/app:latest", "localhost/app", "host:5000/team/app:v1"])(
    "%s is found as the storage writes it",
    async (name) => expect(await find(name)).toBe(`sha256:${one}`),
  );

  it.each([
    "app",
    "app:latest",
    "team/app:v1",
    "host:5000/team/app",
    "docker.io/app",
    "localhost/list",
    "localhost/odd",
    "localhost/twice",
    "localhost/App",
    `localhost/app@sha256:${one}`,
    one,
    `sha256:${one}`,
    one.slice(0, 12),
    "",
    "oci:/tmp/x",
  ])("%s is for the engine to look up", async (name) => expect(await find(name)).toBeUndefined());

  it.each(["", "{}", "null", "[null]", "[{", `[{"names":["localhost/app:latest"]}]`])(
    "a list that is %s tells nothing",
    async (text) => expect(await find("localhost/app", text)).toBeUndefined(),
  );

  it("where there is no list nothing is told", () => {
    expect(
      findStoredName("localhost/app", { root: "/nowhere", driver: "overlay" }),
    ).toBeUndefined();
  });
});
