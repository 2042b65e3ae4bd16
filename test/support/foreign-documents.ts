import { digestBytes } from "../../src/oci/digest.ts";
import { ociConfigType, ociLayerType, ociManifestType } from "../../src/oci/media-types.ts";

/** The two documents of an image that nobody should believe. */
export interface ForeignImage {
  readonly what: string;
  readonly manifest: string;
  readonly config: string;
}

const digest = `sha256:${"a".repeat(64)}`;
const layer = { mediaType: `${ociLayerType}+gzip`, digest, size: 100 };

const goodConfig = {
  architecture: "amd64",
  os: "linux",
  config: { Env: ["A=1"] },
  rootfs: { type: "layers", diff_ids: [digest] },
  history: [{ created_by: "one" }],
};

function nest(depth: number): string {
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}

/** With a manifest that names this config's true digest. */
function makeImage(
  what: string,
  config: string,
  layers: readonly object[] = [layer],
  more: object = {},
): ForeignImage {
  const bytes = Buffer.from(config);
  const descriptor = {
    mediaType: ociConfigType,
    digest: digestBytes(bytes),
    size: bytes.byteLength,
  };
  const manifest = { schemaVersion: 2, mediaType: ociManifestType, config: descriptor, layers };
  return { what, manifest: JSON.stringify({ ...manifest, ...more }), config };
}

const goodText = JSON.stringify(goodConfig);

function withLayer(what: string, changed: object): ForeignImage {
  return makeImage(what, goodText, [{ ...layer, ...changed }]);
}

function withConfig(what: string, changed: object): ForeignImage {
  return makeImage(what, JSON.stringify({ ...goodConfig, ...changed }));
}

/** One for each way to be odd. */
export function listForeign(): readonly ForeignImage[] {
  const deep = nest(100_000);
  const many = Array.from({ length: 8000 }, () => ({ ...layer, digest: "none", size: -1 }));
  return [
    makeImage("a config nested 100,000 deep", goodText.replace('"A=1"', deep)),
    makeImage("a label nested deep", goodText.replace('"Env"', `"Labels":${deep},"Env"`)),
    makeImage("what nobody knows, nested deep", goodText.replace('"os"', `"more":${deep},"os"`)),
    withLayer("a size of 2^53-1", { size: Number.MAX_SAFE_INTEGER }),
    withLayer("a size of 1e300", { size: 1e300 }),
    withLayer("a size below nothing", { size: -1 }),
    withLayer("an unknown media type with escapes", { mediaType: "\u001b[2Jnonsense\u009b\u202e" }),
    withLayer("a long media type", { mediaType: "x".repeat(100_000) }),
    withLayer("addresses that are no list", { urls: "http://nowhere.example" }),
    makeImage("8,000 bad layers", goodText, many),
    makeImage("annotations that are no texts", goodText, [layer], {
      annotations: { [`\u001b${"k".repeat(100_000)}`]: 1 },
    }),
    makeImage("an index too", goodText, [layer], { manifests: [] }),
    makeImage("keys that stand twice", goodText.replace("{", '{"os":"windows",')),
    makeImage("a prototype", goodText.replace("{", '{"__proto__":{"os":"windows"},')),
    withConfig("a NUL in the environment", { config: { Env: ["A=1\0B=2"] } }),
    withConfig("a NUL in a label", { config: { Labels: { a: "\0" } } }),
    withConfig("fewer diff IDs than layers", { rootfs: { type: "layers", diff_ids: [] } }),
    withConfig("an environment of numbers", { config: { Env: [1, 2] } }),
    makeImage("a config that is no JSON", "{".repeat(100)),
    makeImage("a config that is no object", "null"),
  ];
}

/** As a terminal would show it. */
export function countLines(text: string): number {
  return text.split(/[\n\r\u0085\u2028\u2029]/).length;
}
