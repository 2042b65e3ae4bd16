// The output directory that becomes an image, and the call of xbuild that makes it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

export const defaultOutput = "oci-archive:xbuild-frontend.tar";

/** What BuildKit has to know of a frontend. BuildKit, `frontend/gateway/gateway.go`, `getCaps` */
const capabilities = ["inputs", "subrequests", "contexts", "contexts.zstd", "gitquerystring"].map(
  (one) => `moby.buildkit.frontend.${one}`,
);
const config = {
  Entrypoint: ["/usr/bin/node", "/usr/lib/xbuild/frontend.mjs"],
  Env: ["PATH=/usr/bin"],
  WorkingDir: "/",
  Labels: {
    "moby.buildkit.frontend.network.none": "true",
    "moby.buildkit.frontend.caps": capabilities.join(","),
  },
};

/**
 * Writes what `xbuild collect` reads: the layers, lowest first, and the config.
 * @param parts libraries, perl and node, each with its version and its files as pairs of where they are here and in the
 *   image
 */
export function writeImage(directory, parts) {
  for (const [at, layer] of listLayers(parts).entries())
    writeLayer(join(directory, "layers", `${at}-${layer.name}`), layer);
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
}

/** Runs `xbuild collect` on the directory. @returns the exit status */
export function collect(directory, words, options = { stdio: "inherit" }) {
  const xbuild = join(root, "dist/cli/main.js");
  const ended = spawnSync(process.execPath, [xbuild, "collect", directory, ...words], options);
  return ended.status ?? 1;
}

/** Names of layers, the files of each, and empty directories. */
function listLayers({ libraries, perl, node }) {
  return [
    { name: `libraries-${libraries.version}`, files: libraries.files },
    { name: `perl-${perl.version}`, files: perl.files },
    { name: `node-${node.version}`, files: node.files },
    {
      name: `xbuild-${version}`,
      files: ["frontend.mjs", "bin/layer"].map((one) => [
        join(root, "dist", one),
        `/usr/lib/xbuild/${one}`,
      ]),
      // Where BuildKit mounts something, and programs write.
      directories: ["dev", "etc", "in", "out", "proc", "run", "sys", "tmp"],
    },
  ];
}

function writeLayer(directory, { files, directories = [] }) {
  for (const path of directories) mkdirSync(join(directory, path), { recursive: true });
  for (const [from, to] of files) {
    mkdirSync(dirname(join(directory, to)), { recursive: true });
    cpSync(from, join(directory, to), { dereference: true });
  }
}
