import { describe, expect, it } from "vitest";
import type { Digest, HistoryEntry, ImageConfig } from "../oci/model.ts";
import { listEngineEntries } from "./engine-history.ts";

const platform = { os: "linux", architecture: "amd64" };

function layer(index: number): Digest {
  return `sha256:${String(index).padStart(64, "0")}`;
}

/** With so many layers from the first one up. */
function image(layers: number, history?: readonly HistoryEntry[]): ImageConfig {
  const diffIds = Array.from({ length: layers }, (_, index) => layer(index));
  const rootfs = { type: "layers", diff_ids: diffIds } as const;
  return history === undefined ? { ...platform, rootfs } : { ...platform, rootfs, history };
}

const run = (text: string): HistoryEntry => ({
  created: "2026-11-20T00:00:00.123456789Z",
  created_by: `/bin/sh -c ${text}`,
  comment: "FROM localhost/xbuild-run-1:base-0",
});
const nop = (text: string): HistoryEntry => ({ ...run(`#(nop) ${text}`), empty_layer: true });

/** As texts: what is said, and of which layer. */
function list(config: ImageConfig, base?: ImageConfig): readonly string[] {
  return listEngineEntries(config, base).map(({ history, diffId, isOurs }) => {
    expect(Object.keys(history).filter((key) => /created$|comment/.test(key))).toEqual([]);
    expect(history.empty_layer).toBe(diffId === undefined ? true : undefined);
    const text = history.created_by?.replace("/bin/sh -c ", "");
    const place = diffId === undefined ? "none" : String(Number(diffId.slice(7)));
    return `${text} | ${place}${isOurs ? " | ours" : ""}`;
  });
}

describe("what an engine's image has above its base", () => {
  const base = image(2, [run("a"), nop("ENV A=1"), run("b"), nop("ENV B=1"), nop("ENV C=1")]);
  const below = base.history ?? [];

  it("is its entries and layers, without times and the engine's comments", () => {
    const own = [nop("ENV C=1"), run("c"), nop("CMD x"), run("d")];
    expect(list(image(4, [...below, ...own]), base)).toEqual([
      "#(nop) ENV C=1 | none",
      "c | 2",
      "#(nop) CMD x | none",
      "d | 3",
    ]);
  });

  it("is nothing where it is the base", () => {
    expect(list(base, base)).toEqual([]);
  });

  it("is all of it where there is no base", () => {
    expect(list(image(1, [nop("ENV A=1"), run("a")]))).toEqual(["#(nop) ENV A=1 | none", "a | 0"]);
  });

  it("is told though the base's entries have other times and comments", () => {
    const others = below.map(({ created_by, empty_layer }) => ({
      created: "1970-01-01T00:00:00Z",
      ...(created_by === undefined ? {} : { created_by }),
      ...(empty_layer === undefined ? {} : { empty_layer }),
    }));
    const config = image(3, [...below, run("c")]);
    expect(list(config, { ...base, history: others })).toEqual(["c | 2"]);
  });

  it("is told though the base has no history", () => {
    expect(list(image(3, [nop("ENV X=1"), run("c")]), image(2))).toEqual([
      "#(nop) ENV X=1 | none",
      "c | 2",
    ]);
  });

  it("is told though the base's history does not fit its layers", () => {
    const odd = image(2, [run("a"), nop("ENV A=1")]);
    expect(list(image(3, [...(odd.history ?? []), run("c")]), odd)).toEqual(["c | 2"]);
  });

  it("is layers named by their place where the history says nothing of them", () => {
    expect(list(image(4, below), base)).toEqual(["layer 1 | 2", "layer 2 | 3"]);
    expect(list(image(2))).toEqual(["layer 1 | 0", "layer 2 | 1"]);
  });

  it("tells steps of ours, with a layer or without", () => {
    const label = "LABEL io.xbuild.inputs=0123";
    const own = [
      nop(label),
      run("c"),
      { ...nop(label), empty_layer: false },
      run(`echo " ${label}"`),
    ];
    expect(list(image(5, [...below, ...own]), base)).toEqual([
      `#(nop) ${label} | none | ours`,
      "c | 2",
      "layer 2 | 3 | ours",
      `echo " ${label}" | 4`,
    ]);
  });

  it("keeps the author", () => {
    const entry = { ...run("c"), author: "somebody" };
    expect(listEngineEntries(image(3, [...below, entry]), base)).toEqual([
      {
        history: { created_by: "/bin/sh -c c", author: "somebody" },
        diffId: layer(2),
        isOurs: false,
      },
    ]);
  });
});
