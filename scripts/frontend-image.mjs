// Makes the image of the BuildKit frontend with xbuild itself: Node, perl (which reads extended attributes), their
// libraries and xbuild's own program, a layer each, of what this machine has. Arguments are those of `xbuild collect`;
// without a destination among them the image is written to xbuild-frontend.tar, an OCI archive.
// usage: frontend-image.mjs [-t NAME --push] [-o oci-archive:FILE] [FLAG...]
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

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

const work = mkdtempSync(join(tmpdir(), "xbuild-frontend-"));
try {
  for (const [at, layer] of listLayers().entries())
    writeLayer(join(work, "layers", `${at}-${layer.name}`), layer);
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  process.exitCode = collect(process.argv.slice(2));
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Names of layers, the files of each as pairs of where they are here and there, and empty directories. */
function listLayers() {
  const node = realpathSync(process.execPath);
  const perl = realpathSync(ask("sh", "-c", "command -v perl"));
  const modules = ask(
    perl,
    "-e",
    "use strict; use Fcntl; print join qq(\\n), values %INC, @DynaLoader::dl_shared_objects",
  ).split("\n");
  const libraries = new Set([node, perl].flatMap(listLibraries));
  return [
    {
      name: `libraries-${ask("sh", "-c", "ldd --version | sed -n '1s/.* //p'")}`,
      files: [...libraries].sort().map(inPlace),
    },
    {
      name: `perl-${ask(perl, "-e", "print $^V =~ s/^v//r")}`,
      files: [[perl, "/usr/bin/perl"], ...modules.map(inPlace)],
    },
    { name: `node-${process.versions.node}`, files: [[node, "/usr/bin/node"]] },
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

function inPlace(path) {
  return [path, path];
}

function writeLayer(directory, { files, directories = [] }) {
  for (const path of directories) mkdirSync(join(directory, path), { recursive: true });
  for (const [from, to] of files) {
    mkdirSync(dirname(join(directory, to)), { recursive: true });
    cpSync(from, join(directory, to), { dereference: true });
  }
}

/** @returns the exit status */
function collect(given) {
  const isSent = given.some((one) => /^(?:-o|--output|--push|--load)/.test(one));
  const words = isSent ? given : ["-o", "oci-archive:xbuild-frontend.tar", ...given];
  const xbuild = join(root, "dist/cli/main.js");
  const ended = spawnSync(process.execPath, [xbuild, "collect", work, ...words], {
    stdio: "inherit",
  });
  return ended.status ?? 1;
}

function listLibraries(program) {
  const text = ask("ldd", program);
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path]) => path);
}

function ask(program, ...words) {
  return execFileSync(program, words, { encoding: "utf8" }).trim();
}
