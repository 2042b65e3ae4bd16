import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { hashText } from "../oci/oci.ts";
import { readLayoutId } from "./read-layout.ts";

const platform = { os: "linux", architecture: "amd64" };
const digest = `sha256:${hashText("x").padEnd(64, "0").slice(0, 64)}`;
const mediaType = "application/vnd.oci.image.manifest.v1+json";

/** A layout in which something that is no file stands at this path. */
async function makeOdd(directory: string, path: string, kind: "fifo" | "device"): Promise<void> {
  await mkdir(join(directory, "blobs", "sha256"), { recursive: true });
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size: 2 }] };
  if (path !== "index.json") await writeFile(join(directory, "index.json"), JSON.stringify(index));
  if (kind === "fifo") execFileSync("mkfifo", [join(directory, path)]);
  else await symlink("/dev/zero", join(directory, path));
}

test.each([
  ["index.json", "fifo"],
  ["index.json", "device"],
  [`blobs/sha256/${digest.slice(7)}`, "fifo"],
  [`blobs/sha256/${digest.slice(7)}`, "device"],
] as const)("%s of a layout that is a %s is not waited for, nor read", (path, kind) =>
  withTemporaryDirectory(async (directory) => {
    await makeOdd(directory, path, kind);
    await expect(readLayoutId(`oci:${directory}`, platform)).rejects.toMatchObject({
      code: "image-invalid",
      message: expect.stringContaining("is not a file"),
    });
  }),
);
