import { describe, expect, it } from "vitest";
import { rawEntry, rawTar } from "../../../test/support/layers/raw-tar.ts";
import {
  createReception,
  directory,
  file,
  hardLink,
  inPieces,
  layers,
  listIntrusions,
  take,
  tree,
} from "../../../test/support/layers/receive.ts";
import type { ReceiveLimits } from "./limits.ts";

async function refused(
  limits: Partial<ReceiveLimits>,
  ...parts: readonly Buffer[]
): Promise<unknown> {
  const reception = createReception(limits);
  const error: unknown = await take(reception, rawTar(...parts), 65_000).catch(
    (reason: unknown) => reason,
  );
  expect(listIntrusions(reception)).toEqual([]);
  return error;
}

/** Of a terabyte, of which nothing comes. */
const claims = (name: string): Buffer => rawEntry({ name, size: 10 ** 12 });

const large = { code: "layer-too-large", message: expect.stringMatching(/^output\/layers\/[ab]/) };

describe("what comes", () => {
  it("has no more layers than an image may have", async () => {
    const parts = [layers, file("layers/x.tar"), tree("a"), tree("b")];
    expect(await refused({ maxLayers: 2 }, ...parts, file("layers/b/x"))).toBeUndefined();
    expect(await refused({ maxLayers: 1 }, ...parts)).toMatchObject({ code: "layers-too-many" });
  });

  it("has no layer whose files are too large together", async () => {
    const parts = [layers, tree("a"), file("layers/a/x", "12345"), file("layers/a/y", "12345")];
    const other = [tree("b"), file("layers/b/x", "12345")];
    expect(await refused({ maxLayerSize: 10_000 }, ...parts, ...other)).toBeUndefined();
    const most = { maxLayerSize: 9000 };
    const big = file("layers/a/z", Buffer.alloc(8999));
    expect(await refused(most, ...parts, big)).toMatchObject(large);
  });

  it("has no file that says that it is too large, before its data come", async () => {
    const most = { maxLayerSize: 10_000 };
    expect(await refused(most, layers, claims("layers/a.tar"))).toMatchObject(large);
    expect(await refused(most, layers, tree("a"), claims("layers/a/x"))).toMatchObject(large);
  });

  it("is not made too large by hard links from other layers", async () => {
    const parts = [layers, tree("a"), file("layers/a/x", Buffer.alloc(6000)), tree("b")];
    const links = [hardLink("layers/b/x", "layers/a/x"), hardLink("layers/b/y", "layers/a/x")];
    expect(await refused({ maxLayerSize: 10_000 }, ...parts, ...links)).toBeUndefined();
    const more = [file("layers/b/z", Buffer.alloc(4001))];
    expect(await refused({ maxLayerSize: 10_000 }, ...parts, ...links, ...more)).toMatchObject(
      large,
    );
  });

  it("has an end, whatever it is", async () => {
    const reception = createReception({ maxLayerSize: 5000 });
    const parts = rawTar(directory("aside"), file("aside/x", Buffer.alloc(60_000)));
    await expect(
      reception.received.take(inPieces(parts), new AbortController().signal),
    ).rejects.toMatchObject({
      code: "layer-too-large",
      message: expect.stringContaining("more than 50000 bytes came"),
    });
  });

  it.each([
    ["belong nowhere", 1001, (at: number) => directory(`x${at}`)],
    ["belong to no layer", 30_001, (at: number) => directory(`state/x${at}`)],
  ])("has no endless number of directories that %s", async (_, count, make) => {
    const parts = Array.from({ length: count }, (__, at) => make(at));
    const all = Buffer.concat([directory("state"), ...parts]);
    expect(await refused({}, all)).toMatchObject({ code: "layer-too-many-entries" });
  });
});
