import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseDigestAnnotation, baseNameAnnotation, keyAnnotation } from "./annotations.ts";
import { assembleImage, type AssembleEntry, type AssembleInput } from "./assemble.ts";
import { digestBytes } from "./digest.ts";
import { encodeJson } from "./json.ts";
import type { ContainerConfig, Digest, Image } from "./model.ts";
import { mergeBases } from "./rebase-config.ts";
import { isBuiltOn, rebaseImage, type Rebase } from "./rebase.ts";
import { parseImage } from "./schema.ts";
import { validateImage } from "./validate.ts";

function digestOf(text: string): Digest {
  return digestBytes(new TextEncoder().encode(text));
}

function layer(name: string): AssembleEntry {
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  const descriptor = { mediaType, digest: digestOf(name), size: 10, annotations: { of: name } };
  const created = "2025-01-01T00:00:00Z";
  return {
    history: { created_by: name, created },
    layer: { descriptor, diffId: digestOf(`${name}!`) },
  };
}

function note(name: string): AssembleEntry {
  return { history: { created_by: name, created: "2025-02-02T00:00:00Z" } };
}

function makeImage(entries: readonly AssembleEntry[], input: Partial<AssembleInput> = {}): Image {
  return assembleImage({
    platform: { architecture: "amd64", os: "linux" },
    config: {},
    annotations: {},
    created: "2026-01-01T00:00:00Z",
    ...input,
    entries,
  });
}

const v1 = [layer("root"), layer("lib 1"), note("CMD base")];
const v2 = [layer("root"), layer("lib 2"), layer("fix"), note("CMD base 2")];
const own = [note("ENV A"), layer("app"), note("CMD app")];
const from = makeImage(v1, { config: { Env: ["PATH=/bin", "V=1"], Cmd: ["base"] } });
const onto = makeImage(v2, { config: { Env: ["PATH=/usr/bin", "V=2", "NEW=1"], Cmd: ["base 2"] } });
const image = makeImage([...v1, ...own], {
  config: { Env: ["PATH=/bin", "V=own", "A=1"], Cmd: ["app"], User: "app" },
  annotations: { [keyAnnotation]: "key", title: "app", [baseDigestAnnotation]: from.digest },
});

function rebase(input: Partial<Rebase> = {}): Image {
  const created = "2026-06-01T00:00:00Z";
  return rebaseImage({ image, from, onto, name: "r.example/base:v2", created, ...input });
}

function namesOf({ config }: Image): readonly (string | undefined)[] {
  return (config.history ?? []).map((entry) => entry.created_by);
}

/** The same image in Docker's types. */
function toDocker(one: Image): Image {
  const layers = one.manifest.layers.map(({ digest, size }) => ({
    mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    digest,
    size,
  }));
  const config = {
    ...one.manifest.config,
    mediaType: "application/vnd.docker.container.image.v1+json",
  };
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  return parseImage(encodeJson({ schemaVersion: 2, mediaType, config, layers }), one.configBytes);
}

describe("an image on another base", () => {
  test("has the new base's layers, then its own, as they were", async () => {
    const rebased = rebase();
    expect(await validateImage(rebased)).toEqual([]);
    expect(rebased.manifest.layers).toEqual([
      ...onto.manifest.layers,
      ...image.manifest.layers.slice(2),
    ]);
    expect(rebased.config.rootfs.diff_ids).toEqual([
      ...onto.config.rootfs.diff_ids,
      ...image.config.rootfs.diff_ids.slice(2),
    ]);
    expect(isBuiltOn(rebased, onto)).toBe(true);
    const old = image.config.history ?? [];
    expect(rebased.config.history).toEqual([...(onto.config.history ?? []), ...old.slice(3)]);
    expect(rebased.config.created).toBe("2026-06-01T00:00:00Z");
  });

  test("keeps what it changed of the config, and takes the rest from the new base", () => {
    expect(rebase().config.config).toEqual({
      User: "app",
      Env: ["PATH=/usr/bin", "V=own", "NEW=1", "A=1"],
      Cmd: ["app"],
    });
  });

  test("names its new base, and has no key of a build any more", () => {
    const digests = { title: "app", [baseDigestAnnotation]: onto.digest };
    expect(rebase().manifest.annotations).toEqual({
      ...digests,
      [baseNameAnnotation]: "r.example/base:v2",
    });
    expect(rebase({ name: undefined }).manifest.annotations).toEqual(digests);
  });

  test("is what a build on the new base makes", () => {
    const built = makeImage([...v2, ...own], {
      config: { User: "app", Env: ["PATH=/usr/bin", "V=own", "NEW=1", "A=1"], Cmd: ["app"] },
      annotations: rebase().manifest.annotations ?? {},
      created: "2026-06-01T00:00:00Z",
    });
    expect(rebase().digest).toBe(built.digest);
  });

  test("comes back on its old base but for the key", () => {
    const back = rebase({ image: rebase(), from: onto, onto: from, name: undefined });
    // An unchanged variable that the bases have stands where theirs does.
    expect(back.config.config).toEqual(image.config.config);
    expect(back.manifest.layers).toEqual(image.manifest.layers);
    expect(back.config.history).toEqual(image.config.history);
  });

  test("is itself where nothing changes, whatever the time", () => {
    expect(rebase({ onto: from })).toBe(image);
    const once = rebase();
    expect(rebase({ image: once, from: onto, created: "2027-01-01T00:00:00Z" })).toBe(once);
    // Another base of the same content.
    const same = makeImage(v2, {
      config: onto.config.config ?? {},
      created: "2026-02-02T00:00:00Z",
    });
    const again = rebase({ image: once, from: same, created: "2027-01-01T00:00:00Z" });
    expect(again.digest).toBe(once.digest);
  });

  test("becomes OCI's where it was Docker's, its base too", async () => {
    const input = { image: toDocker(image), from: toDocker(from), onto: toDocker(onto) };
    const rebased = rebase(input);
    expect(await validateImage(rebased)).toEqual([]);
    expect(rebased.configBytes).toEqual(rebase().configBytes);
    expect(await validateImage(rebase({ ...input, onto: input.from }))).toEqual([]);
  });
});

describe("history", () => {
  const cases: readonly [string, readonly AssembleEntry[], readonly AssembleEntry[]][] = [
    ["entries behind the base's last layer are the base's", [...v1, layer("app")], [layer("app")]],
    ["an equal entry of the image's own stays", [...v1, note("CMD base")], [note("CMD base")]],
    ["of the base's notes, what is there", [...v1.slice(0, 2), layer("app")], [layer("app")]],
    ["no own layer", v1, []],
  ];
  test.each(cases)("%s", (_, entries, kept) => {
    const expected = [...v2, ...kept].map(({ history }) => history.created_by);
    expect(namesOf(rebase({ image: makeImage(entries) }))).toEqual(expected);
  });

  test("times that a build has fixed do not matter", () => {
    const fixed = makeImage([...v1, ...own], { epoch: 0 });
    expect(namesOf(rebase({ image: fixed }))).toEqual(namesOf(rebase()));
  });

  test("where one does not match its layers, each layer is named by its content", async () => {
    const { history: _, ...rest } = image.config;
    const configBytes = encodeJson(rest);
    const config = {
      ...image.manifest.config,
      digest: digestBytes(configBytes),
      size: configBytes.byteLength,
    };
    const without = parseImage(encodeJson({ ...image.manifest, config }), configBytes);
    const rebased = rebase({ image: without });
    expect(await validateImage(rebased)).toEqual([]);
    expect(namesOf(rebased).slice(0, 4)).toEqual(namesOf(onto));
    expect(namesOf(rebased).slice(4)).toEqual([expect.stringMatching(/^layer-[0-9a-f]{12}$/)]);
  });

  test("a base without layers has notes alone", () => {
    const empty = makeImage([note("ENV X")]);
    const built = makeImage([note("ENV X"), layer("app")]);
    expect(namesOf(rebase({ image: built, from: empty }))).toEqual([...namesOf(onto), "app"]);
  });
});

describe("refused", () => {
  test("an image that was not built on the old base", () => {
    const code = "rebase-base-mismatch";
    const other = makeImage([layer("root"), layer("lib 3")]);
    const attempt = (): Image => rebase({ from: other });
    expect(attempt).toThrow(expect.objectContaining({ code }));
    expect(attempt).toThrow(/1 of that base's 2 layers/);
    const larger = makeImage([...v1, ...own, layer("more")]);
    expect(() => rebase({ from: larger })).toThrow(expect.objectContaining({ code }));
  });

  test("a base for another platform", () => {
    const arm = makeImage(v2, { platform: { architecture: "arm64", os: "linux" } });
    const code = "image-unsupported";
    expect(() => rebase({ onto: arm })).toThrow(expect.objectContaining({ code }));
  });
});

/** Without what is empty, and in one order of variables. */
function tidy(config: ContainerConfig): object {
  const { Env = [], ...rest } = mergeBases(config, {}, {});
  return { ...rest, Env: [...Env].sort() };
}

describe("config", () => {
  type Case = readonly [string, ContainerConfig, ContainerConfig, ContainerConfig, ContainerConfig];
  const cases: readonly Case[] = [
    ["unchanged: the new one's", { User: "a" }, { User: "a" }, { User: "b" }, { User: "b" }],
    ["changed: its own", { User: "x" }, { User: "a" }, { User: "b" }, { User: "x" }],
    ["dropped: stays dropped", {}, { User: "a" }, { User: "b" }, {}],
    ["the new base drops it", { User: "a" }, { User: "a" }, {}, {}],
    ["the new base has it first", {}, {}, { User: "b" }, { User: "b" }],
    ["empty is missing", { Cmd: [] }, {}, { Cmd: ["b"] }, { Cmd: ["b"] }],
    [
      "labels by key",
      { Labels: { a: "1", own: "1", v: "x" } },
      { Labels: { a: "1", gone: "1", v: "1" } },
      { Labels: { a: "2", gone: "2", v: "2", new: "1" } },
      { Labels: { a: "2", own: "1", v: "x", new: "1" } },
    ],
    [
      "an empty label is one",
      { Labels: { a: "" } },
      {},
      { Labels: { a: "1" } },
      { Labels: { a: "" } },
    ],
    [
      "ports and volumes by key",
      { ExposedPorts: { "80/tcp": {}, "1/tcp": {} }, Volumes: { "/own": {} } },
      { ExposedPorts: { "1/tcp": {} } },
      { ExposedPorts: { "2/tcp": {} }, Volumes: { "/new": {} } },
      { ExposedPorts: { "80/tcp": {}, "2/tcp": {} }, Volumes: { "/own": {}, "/new": {} } },
    ],
    [
      "a variable that the image took away stays away",
      { Env: ["A=1"] },
      { Env: ["A=1", "B=1"] },
      { Env: ["B=2", "A=2"] },
      { Env: ["A=2"] },
    ],
    [
      "a variable that buildah put behind its own stays there",
      { Env: ["P=1", "Z=1", "OWN=1", "A=own"] },
      { Env: ["P=1", "A=1", "Z=1"] },
      { Env: ["P=2", "A=2", "Z=2", "N=2"] },
      { Env: ["P=2", "Z=2", "N=2", "OWN=1", "A=own"] },
    ],
    [
      "one that Docker left in its place does too",
      { Env: ["P=1", "A=own", "Z=1", "OWN=1"] },
      { Env: ["P=1", "A=1", "Z=1"] },
      { Env: ["P=2", "A=2", "Z=2", "N=2"] },
      { Env: ["P=2", "A=own", "Z=2", "N=2", "OWN=1"] },
    ],
    [
      "an own entrypoint comes with its own command, which may be none",
      { Entrypoint: ["app"] },
      {},
      { Cmd: ["b"] },
      { Entrypoint: ["app"] },
    ],
    ["triggers of a new base are not the image's", {}, {}, { OnBuild: ["RUN x"] }, {}],
    [
      "triggers that it has of its base",
      { OnBuild: ["RUN x"] },
      { OnBuild: ["RUN x"] },
      { OnBuild: ["RUN y"] },
      { OnBuild: ["RUN y"] },
    ],
    [
      "the order of keys says nothing",
      { Healthcheck: { Test: ["a"], Retries: 1 } },
      { Healthcheck: { Retries: 1, Test: ["a"] } },
      { Healthcheck: { Test: ["b"] } },
      { Healthcheck: { Test: ["b"] } },
    ],
  ];
  test.each(cases)("%s", (_, mine, old, next, expected) => {
    expect(mergeBases(mine, old, next)).toEqual(expected);
  });

  const names = fc.constantFrom("A", "B", "C");
  const maps = fc.dictionary(names, fc.constantFrom("1", "2"), { noNullPrototype: true });
  const configs: fc.Arbitrary<ContainerConfig> = fc
    .record({
      User: fc.constantFrom("", "a", "b"),
      Cmd: fc.constantFrom([], ["a"], ["b"]),
      env: maps,
      Labels: maps,
    })
    .map(({ env, User, Cmd, Labels }) => ({
      User,
      Cmd,
      Labels,
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    }));
  test("the same base changes nothing, and an image that changes nothing is its base", () => {
    fc.assert(
      fc.property(configs, configs, (mine, base) => {
        expect(tidy(mergeBases(mine, base, base))).toEqual(tidy(mine));
        expect(tidy(mergeBases(base, base, mine))).toEqual(tidy(mine));
      }),
    );
  });
});
