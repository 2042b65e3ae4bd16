import { describe, expect, it } from "vitest";
import {
  collect,
  createDirectory,
  createPrevious,
  digestOf,
  layersOf,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

const digest = digestOf(Buffer.from("x"));
const known = {
  name: "a",
  digest,
  diffId: digest,
  annotations: { "io.xbuild.layer.fingerprint": "v1:0" },
};

async function collectHistory(history: string, name = "history.json"): Promise<unknown> {
  const output = writeFiles(createDirectory(), { [name]: history });
  return collect(output, { previous: [createPrevious([known])] });
}

function entry(more: object): string {
  return JSON.stringify([{ created_by: "a", digest, ...more }]);
}

describe("history", () => {
  it("says once what is wrong with a value", async () => {
    const refused = collectHistory(entry({ digest: "sha256:a" }));
    await expect(refused).rejects.toMatchObject({
      diagnostics: [{ code: "layer-digest-invalid", message: expect.stringContaining("digest") }],
    });
  });

  it.each([
    ["no list", "1", "output-json-invalid", "history.json:1:1"],
    ["no digest and no path", '[{"created_by":"a"}]', "output-json-invalid", "history.json:1:2"],
    ["both", entry({ path: "layers/a" }), "output-json-invalid", "history.json:1:2"],
    [
      "an empty layer with a digest",
      entry({ empty_layer: true }),
      "output-json-invalid",
      "history.json:1",
    ],
    ["an unknown key", entry({ creatd: "x" }), "output-json-invalid", "creatd"],
    ["an unknown key of the object", '{"history":[],"layers":[]}', "output-json-invalid", "layers"],
    ["another version", '{"history":[],"schemaVersion":2}', "output-json-invalid", "schemaVersion"],
    ["no history in the object", "{}", "output-json-invalid", "history"],
    [
      "an upper-case digest",
      entry({ digest: digest.toUpperCase() }),
      "layer-digest-invalid",
      "history.json:1",
    ],
    [
      "a digest of another algorithm",
      entry({ digest: `sha512:${"a".repeat(128)}` }),
      "layer-digest-invalid",
      "digest",
    ],
    [
      "a digest with a path",
      entry({ digest: "sha256:../../../../etc/shadow" }),
      "layer-digest-invalid",
      "digest",
    ],
    [
      "a digest of bytes",
      entry({ digest: `sha256:${"a".repeat(63)}\n` }),
      "layer-digest-invalid",
      "digest",
    ],
    ["a date that is none", entry({ created: "yesterday" }), "output-json-invalid", "created"],
    [
      "a day that is none",
      entry({ created: "2026-02-31T00:00:00Z" }),
      "output-json-invalid",
      "created",
    ],
    ["a number as comment", entry({ comment: 1 }), "output-json-invalid", "comment"],
    ["an annotation that is no text", entry({ annotations: { a: 1 } }), "output-json-invalid", "a"],
    [
      "an annotation without a name",
      entry({ annotations: { "": "1" } }),
      "output-json-invalid",
      "Invalid key",
    ],
    [
      "an annotation of ours",
      entry({ annotations: { "io.xbuild.x": "1" } }),
      "output-annotation-reserved",
      "io.xbuild.x",
    ],
    [
      "a changed annotation of ours",
      entry({ annotations: { "io.xbuild.layer.fingerprint": "v1:1" } }),
      "output-annotation-reserved",
      "fingerprint",
    ],
    [
      "a list that is too large",
      `[${" ".repeat(4 * 1024 ** 2)}]`,
      "output-json-too-large",
      "history.json",
    ],
  ])("refuses %s", async (_what, text, code, message) => {
    await expect(collectHistory(text)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: expect.any(String),
    });
  });

  it("names the line of history.jsonl", async () => {
    const line = JSON.stringify({ created_by: "a", digest });
    await expect(collectHistory(`${line}\n\n{"x":1}\n`, "history.jsonl")).rejects.toMatchObject({
      message: expect.stringMatching(/^output\/history\.jsonl:3:1: /),
    });
    await expect(
      collectHistory(`${line}\n${line} ${line}\n`, "history.jsonl"),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/^output\/history\.jsonl:2:\d+: /),
    });
  });

  it("takes lines without an end, with carriage returns, and empty ones", async () => {
    const line = JSON.stringify({ created_by: "a", digest });
    await expect(
      collectHistory(`\r\n${line}\r\n \n${line}`, "history.jsonl"),
    ).resolves.toMatchObject({
      entries: [{ kind: "layer" }, { kind: "layer" }],
    });
  });

  it("refuses both files", async () => {
    const output = writeFiles(createDirectory(), { "history.json": "[]", "history.jsonl": "" });
    await expect(collect(output)).rejects.toMatchObject({ code: "output-history-twice" });
  });

  it("takes what stands in the input, and keeps an annotation of ours that is copied along", async () => {
    const more = {
      diff_id: digest,
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      size: 100,
      blob: false,
      created: "2026-01-01T00:00:00.123456789+02:00",
      annotations: { "io.xbuild.layer.fingerprint": "v1:0", "../../etc/passwd": "../x" },
    };
    const output = writeFiles(createDirectory(), {
      "history.json": JSON.stringify({
        schemaVersion: 1,
        maxLayers: 1,
        image: "x",
        history: [{ created_by: "a", digest, ...more }],
        others: [{ image: "y", history: [] }],
      }),
    });
    const [layer] = layersOf(await collect(output, { previous: [createPrevious([known])] }));
    expect(layer).toMatchObject({
      status: "kept",
      descriptor: { annotations: more.annotations },
      history: { created: more.created },
    });
  });
});

describe("config and annotations", () => {
  it.each([
    ["config.json", '{"env":["A=1"]}', "output-json-invalid"],
    ["config.json", '{"Env":["A"]}', "output-json-invalid"],
    ["config.json", '{"Env":["=A"]}', "output-json-invalid"],
    ["config.json", '{"Cmd":"sh"}', "output-json-invalid"],
    ["config.json", '{"ExposedPorts":{"80":1}}', "output-json-invalid"],
    ["config.json", '{"Healthcheck":{"Test":"x"}}', "output-json-invalid"],
    ["config.json", '{"User":"a","User":"b"}', "output-json-invalid"],
    ["config.json", "[]", "output-json-invalid"],
    ["annotations.json", '{"a":null}', "output-json-invalid"],
    ["annotations.json", '{"io.xbuild.key":"x"}', "output-annotation-reserved"],
  ])("refuses %s with %s", async (name, text, code) => {
    const output = writeFiles(createDirectory(), { "layers/a/x": "x", [name]: text });
    await expect(collect(output)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^output/${name}:1:\\d+: `)),
    });
  });

  it("takes every key of a config, and null for each", async () => {
    const config = {
      User: "1000",
      ExposedPorts: { "80/tcp": {}, "81/tcp": null },
      Env: ["A=1=2"],
      Entrypoint: ["a"],
      Cmd: [],
      Volumes: { "/v": {} },
      WorkingDir: "/",
      Labels: { a: "b", c: null },
      StopSignal: "TERM",
      Healthcheck: { Test: ["NONE"], Interval: 1_000_000_000 },
      Shell: ["sh"],
      OnBuild: ["RUN x"],
      ArgsEscaped: true,
    };
    const empty = Object.fromEntries(Object.keys(config).map((key) => [key, null]));
    for (const each of [config, empty]) {
      const files = { "layers/a/x": "x", "config.json": JSON.stringify(each) };
      const collected = await collect(writeFiles(createDirectory(), files));
      expect(collected.config).toEqual(each);
    }
  });
});
