import { collectOutput } from "../src/layers/collect/collect.ts";
import { limitGarbage } from "../src/system/garbage.ts";

// node collect-process.js OUTPUT STAGING: what a build does with its layers, and nothing else.
const [output = "", staging = ""] = process.argv.slice(2);
// As each xbuild does that has something to do.
limitGarbage();
await collectOutput(output, {
  previous: [],
  reuse: undefined,
  compression: "gzip",
  epoch: undefined,
  maxLayers: 1000,
  maxLayerSize: 100 * 1024 ** 3,
  allowDevices: false,
  staging,
  baseLayers: 0,
  isKnown: () => Promise.resolve(true),
});
