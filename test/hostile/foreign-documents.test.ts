import { describe, expect, test } from "vitest";
import { XbuildError } from "../../src/errors.ts";
import { parseConfig, parseImage, parseIndex, parseManifest } from "../../src/oci/schema.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import { countLines, listForeign } from "../support/foreign-documents.ts";

// Documents of images that no tool writes: each is refused with a code of its own, and in few words.

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe.each(listForeign())("$what", ({ manifest, config }) => {
  test("is refused, and in few words", () => {
    const [manifestBytes, configBytes] = [manifest, config].map((text) => Buffer.from(text));
    const error = catchError(() =>
      parseImage(manifestBytes ?? Buffer.alloc(0), configBytes ?? Buffer.alloc(0)),
    );
    expect(error).toBeInstanceOf(XbuildError);
    expect(error).toMatchObject({ code: expect.stringMatching(/^image-(?:invalid|unsupported)$/) });
    expect(String(error).length).toBeLessThan(2000);
    expect(countLines(String(error))).toBe(1);
  });
});

test("what is well is read", () => {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
    }),
  );
  expect(parseConfig(config).os).toBe("linux");
  const type = "application/vnd.oci.image.config.v1+json";
  const descriptor = { mediaType: type, digest: digestBytes(config), size: config.length };
  const manifest = { schemaVersion: 2, config: descriptor, layers: [] };
  expect(parseManifest(Buffer.from(JSON.stringify(manifest))).layers).toEqual([]);
  expect(parseIndex(Buffer.from('{"schemaVersion":2,"manifests":[]}')).manifests).toEqual([]);
});
