import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import zlib, { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  collect,
  compress,
  createDirectory,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawTar } from "../../../test/support/layers/raw-tar.ts";

describe("limits", () => {
  it.each(["blobs/sha256", "layers"])("refuses very many files in %s", async (place) => {
    const output = createDirectory();
    mkdirSync(join(output, place), { recursive: true });
    execFileSync("sh", ["-c", `cd ${join(output, place)} && seq 20001 | xargs touch`]);
    await expect(collect(output)).rejects.toMatchObject({ code: "layers-too-many" });
  });

  it("shows ten warnings of a kind, and how many more there are", async () => {
    const names = Array.from({ length: 30 }, (_, index) => [`unknown-${index}`, ""]);
    const output = writeFiles(createDirectory(), {
      "layers/a/x": "x",
      ...Object.fromEntries(names),
    });
    const { warnings } = await collect(output);
    expect(warnings.length).toBe(11);
    expect(warnings.at(-1)?.message).toBe("20 more of the same are not shown");
  });

  it.each(["gzip", "zstd", "none"] as const)(
    "says that the disk is full (%s)",
    async (compression) => {
      const staging = createDirectory();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", staging]);
      onTestFinished(() => void execFileSync("umount", ["-l", staging]));
      const output = createDirectory();
      mkdirSync(join(output, "layers/a"), { recursive: true });
      execFileSync(
        "dd",
        ["if=/dev/urandom", `of=${join(output, "layers/a/x")}`, "bs=1M", "count=20"],
        { stdio: "pipe" },
      );
      await expect(collect(output, { staging, compression })).rejects.toMatchObject({
        code: "store-full",
      });
    },
  );
});

describe("a blob that cannot be written", () => {
  it.each([
    ["gzip", (bytes: Buffer) => gzipSync(bytes, { level: 0 })],
    ["zstd", (bytes: Buffer) => compress("zstd", bytes)],
    ["tar", (bytes: Buffer) => bytes],
  ])("of %s ends the collection", async (_name, pack) => {
    const staging = createDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", staging]);
    onTestFinished(() => void execFileSync("umount", ["-l", staging]));
    const output = createDirectory();
    const noise = randomBytes(20 * 1024 ** 2);
    const [digest] = writeBlobs(output, pack(rawTar(rawEntry({ name: "a", data: noise }))));
    writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest }]) });
    await expect(collect(output, { staging })).rejects.toMatchObject({ code: "store-full" });
  });
});

describe("zstd", () => {
  it.skipIf("createZstdCompress" in zlib)("is missed with a clear error", async () => {
    const path = process.env["PATH"];
    onTestFinished(() => {
      process.env["PATH"] = path;
    });
    const output = writeFiles(createDirectory(), {
      "layers/a.tar": rawTar(rawEntry({ name: "a" })),
    });
    const [digest] = writeBlobs(output, compress("zstd", rawTar(rawEntry({ name: "a" }))));
    process.env["PATH"] = createDirectory();
    const error = { code: "zstd-not-found", hint: expect.stringContaining("--compression=gzip") };
    const loose = writeFiles(createDirectory(), {
      "layers/a.tar": rawTar(rawEntry({ name: "a" })),
    });
    await expect(collect(loose, { compression: "zstd" })).rejects.toMatchObject(error);
    writeFiles(output, {
      "history.json": JSON.stringify([{ created_by: "a", digest }, { path: "layers/a.tar" }]),
    });
    await expect(collect(output)).rejects.toMatchObject(error);
  });
});
