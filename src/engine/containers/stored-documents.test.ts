import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withTemporaryDirectory } from "../../../test/support/images.ts";
import { digestBytes, digestHex } from "../../oci/oci.ts";
import { readImageConfig } from "./stored-documents.ts";

const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
const id = digestBytes(config);

/** Reads it of a storage in which the file that it has there says this; a FIFO where nothing is given. */
function read(content: Uint8Array | undefined, driver = "vfs"): Promise<Uint8Array> {
  return withTemporaryDirectory(async (root) => {
    const directory = join(root, "vfs-images", digestHex(id));
    await mkdir(directory, { recursive: true });
    const file = join(directory, `=${Buffer.from(id).toString("base64")}`);
    if (content === undefined) execFileSync("mkfifo", [file]);
    else await writeFile(file, content);
    const options = [`--root=${root}`, `--runroot=${root}/run`, "--storage-driver=vfs"];
    return readImageConfig(id, { options, place: { root, driver } });
  });
}

describe("an image's config in a storage", () => {
  it("is the file that has the image's ID for its digest", async () =>
    expect(Buffer.from(await read(config))).toEqual(config));

  it.each([
    ["what is another one", "vfs", Buffer.from("{}")],
    ["what is somewhere else", "overlay", config],
    ["what is no file", "vfs", undefined],
  ])("is asked for instead of %s", async (_, driver, content) => {
    await expect(read(content, driver)).rejects.toMatchObject({
      code: expect.stringMatching(/^engine-/),
    });
  });
});
