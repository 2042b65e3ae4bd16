import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { collect, createDirectory, writeBlobs, writeFiles } from "../support/layers/fixtures.ts";
import { rawEntry, rawTar } from "../support/layers/raw-tar.ts";
import { isDigest } from "../../src/oci/digest.ts";
import { parseManifest } from "../../src/oci/schema.ts";
import { parseReference } from "../../src/copy/reference.ts";

// What the attacks of others' advisories do here; docs/security.md has the table.

const root = join(import.meta.dirname, "../..");

describe("CVE-2021-29136: a layer's own root is a link", () => {
  test.each(["", ".", "./", "/", "//"])("%j", async (name) => {
    const output = createDirectory();
    const [digest] = writeBlobs(output, rawTar(rawEntry({ name, type: "2", link: "/etc" })));
    writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest }]) });
    await expect(collect(output)).rejects.toMatchObject({
      code: expect.stringMatching(/^layer-tar-/),
    });
  });
});

const hostileDigests = [
  "sha256:../../../../etc/passwd",
  `sha256:${"a".repeat(63)}/`,
  `sha256:${"A".repeat(64)}`,
  `sha256:${"a".repeat(64)}?x`,
  `sha512:${"a".repeat(128)}`,
  `sha256:${"a".repeat(64)}\n`,
  "..",
];

function makeManifest(config: string, layer: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 1 },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: 1 }],
    }),
  );
}

describe("CVE-2024-3727: a digest that is none", () => {
  const good = `sha256:${"a".repeat(64)}`;

  test.each(hostileDigests)("%j is refused wherever a digest is read", async (digest) => {
    expect(isDigest(digest)).toBe(false);
    expect(() => parseManifest(makeManifest(good, digest))).toThrow(/broken/);
    expect(() => parseManifest(makeManifest(digest, good))).toThrow(/broken/);
    expect(() => parseReference(`registry.example/app@${digest}`)).toThrow(/digest/);
    const output = writeFiles(createDirectory(), {
      "history.json": JSON.stringify([{ created_by: "a", digest }]),
    });
    await expect(collect(output)).rejects.toMatchObject({ code: "layer-digest-invalid" });
  });
});

test("CVE-2021-41190: a document that is a manifest and an index at once", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 1 };
  const both = { schemaVersion: 2, config, layers: [], manifests: [] };
  expect(() => parseManifest(Buffer.from(JSON.stringify(both)))).toThrow(
    "both an image and an index",
  );
});

test("every test that the page on security names is there", () => {
  const page = readFileSync(join(root, "docs/security.md"), "utf8");
  const named = [
    ...page.matchAll(
      /`((?:hostile|layers|integration|e2e|fuzz|registry|oci|engine|pipeline|frontend|buildkit)\/[\w/*-]+)`/g,
    ),
  ];
  const places = ["test", "src"];
  const missing = named
    .map((match) => match[1] ?? "")
    .filter((name) => !name.includes("*"))
    .filter((name) => !places.some((place) => existsSync(join(root, place, `${name}.test.ts`))));
  expect(named.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});
