import { closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openOutput } from "../../src/archive/read/directory.ts";
import { readAnnotations, readConfig, readHistory } from "../../src/layers/directory/documents.ts";
import { createDirectory } from "../support/layers/fixtures.ts";
import { isDigest } from "../../src/oci/digest.ts";
import { unpackFingerprints } from "../../src/oci/fingerprints.ts";
import { JsonProblem } from "../../src/oci/json-tokens.ts";
import { parseConfig, parseIndex, parseManifest } from "../../src/oci/schema.ts";
import { readJson } from "../../src/oci/strict-json.ts";
import { fuzz, fuzzTimeout, hold, judge, mutate, runs } from "./harness.ts";

const digest = `sha256:${"a".repeat(64)}`;
const tokens = [
  "null",
  "true",
  "-1",
  "1e999",
  "9007199254740991",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  '"',
  '""',
  "\\u0000",
  "\\ud800",
  '"__proto__":{},',
  "\x1b[2J",
  "\xe2\x80\xae",
  "\0",
  "[".repeat(70),
  digest,
  "sha512:00",
  '"urls":["http://a"],',
  '"manifests":[],',
  "\r\n",
  "\xef\xbb\xbf",
];

const layer = {
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest,
  size: 10,
  annotations: { a: "b" },
};
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
const manifests = [
  {
    schemaVersion: 2,
    config,
    layers: [layer, layer],
    annotations: { "dev.xbuild.fingerprints": "{}" },
  },
  { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers: [] },
  { schemaVersion: 2, manifests: [{ ...layer, platform: { architecture: "amd64", os: "linux" } }] },
].map((one) => JSON.stringify(one));
const configs = [
  {
    architecture: "amd64",
    os: "linux",
    created: "2026-01-31T12:00:00Z",
    config: {
      Env: ["A=1"],
      Labels: { a: "b" },
      ExposedPorts: { "80/tcp": {} },
      Healthcheck: { Test: ["CMD"] },
    },
    rootfs: { type: "layers", diff_ids: [digest] },
    history: [{ created_by: "one" }, { created_by: "ENV", empty_layer: true }],
  },
].map((one) => JSON.stringify(one));

test(
  "JSON: what is read is what JSON.parse reads, and the rest has a place",
  async () => {
    const tried = await fuzz(
      mutate([...manifests, ...configs, '["\\u00e9", -0.5e2]'], tokens),
      (bytes) => {
        try {
          expect(readJson(bytes)).toEqual(JSON.parse(bytes.toString("utf8")));
        } catch (error) {
          if (!(error instanceof JsonProblem)) throw error;
          hold(
            error.offset >= 0 && error.offset <= bytes.length,
            "a place outside of the document",
          );
        }
      },
    );
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

describe("documents of images", () => {
  const refusals = /^image-(?:invalid|unsupported)$/;

  test(
    "manifests and indexes",
    async () => {
      const tried = await fuzz(mutate(manifests, tokens), async (bytes) => {
        const { value: manifest } = await judge(() => parseManifest(bytes), refusals);
        await judge(() => parseIndex(bytes), refusals);
        if (manifest === undefined) return;
        await judge(() => unpackFingerprints(manifest), refusals);
        for (const { digest: found, size } of [manifest.config, ...manifest.layers]) {
          hold(isDigest(found) && Number.isSafeInteger(size) && size >= 0, "an odd descriptor");
        }
      });
      expect(tried).toBeGreaterThanOrEqual(runs);
    },
    fuzzTimeout,
  );

  test(
    "configs",
    async () => {
      const tried = await fuzz(mutate(configs, tokens), async (bytes) => {
        const { value } = await judge(() => parseConfig(bytes), refusals);
        hold(value === undefined || !JSON.stringify(value).includes("\\u0000"), "a NUL is read");
      });
      expect(tried).toBeGreaterThanOrEqual(runs);
    },
    fuzzTimeout,
  );
});

describe("documents of a build", () => {
  const history = [
    JSON.stringify([
      { created_by: "a", digest },
      { created_by: "b", path: "layers/b" },
    ]),
    JSON.stringify({
      history: [{ created_by: "a", empty_layer: true, created: "2026-01-31T12:00:00Z" }],
    }),
  ];
  const lines = ['{"created_by":"a","empty_layer":true}\n{"created_by":"b","path":"layers/b"}\n'];
  const own = ['{"Env":["A=1"],"Labels":{"a":"b"},"User":"1000","Healthcheck":null}'];
  const targets = {
    "history.json": { documents: history, read: readHistory },
    "history.jsonl": { documents: lines, read: readHistory },
    "config.json": { documents: own, read: readConfig },
    "annotations.json": { documents: ['{"a":"b","org.example/c":"d"}'], read: readAnnotations },
  };

  test.each(Object.entries(targets))(
    "%s",
    async (name, { documents, read }) => {
      const directory = createDirectory();
      const tried = await fuzz(mutate(documents, tokens), async (bytes) => {
        writeFileSync(join(directory, name), bytes);
        const output = openOutput(directory);
        try {
          await judge(() => read(output), /^(?:output-|layer-|open-files-limit)/);
        } finally {
          closeSync(output.fd);
        }
      });
      expect(tried).toBeGreaterThanOrEqual(runs);
    },
    fuzzTimeout,
  );
});

test(
  "any bytes at all",
  async () => {
    const tried = await fuzz(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await judge(() => parseManifest(bytes), /^image-/);
      await judge(() => parseConfig(bytes), /^image-/);
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);
