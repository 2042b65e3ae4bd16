import { expect, it } from "vitest";
import { digestBytes, type ImageConfig } from "../oci/oci.ts";
import { collectEngineStage, type EngineStage } from "./engine-stage.ts";

const configOf = (...layers: readonly string[]): ImageConfig => ({
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers", diff_ids: layers.map((one) => digestBytes(Buffer.from(one))) },
});

it.each([
  ["none", []],
  ["another", ["b", "own"]],
  ["fewer", ["a"]],
])("an engine's image that has %s of its base's layers is refused", async (_, layers) => {
  const stage = { config: configOf(...layers), base: { image: { config: configOf("a", "c") } } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
  const given = [{}, stage as unknown as EngineStage, {}] as unknown as Parameters<
    typeof collectEngineStage
  >;
  await expect(collectEngineStage(...given)).rejects.toMatchObject({
    code: "engine-failed",
    hint: expect.stringContaining("build again"),
  });
});
