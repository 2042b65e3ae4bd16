// An image for each platform, and the index of them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collect, writeImage } from "./collect.mjs";
import { fetchPackages } from "./fetch-packages.mjs";
import { listPackagedParts } from "./packaged-parts.mjs";
import { run } from "./run.mjs";

const typeOfIndex = "application/vnd.oci.image.index.v1+json";

/**
 * Makes the images in one layout, and copies their index to every destination.
 * @param request of `readRequest`
 * @param work an empty directory
 * @returns the exit status
 */
export function makeIndex(request, work) {
  // Modes of directories are part of a layer.
  process.umask(0o022);
  tell(request, `Fetching packages for ${request.platforms.map(({ name }) => name).join(", ")}`);
  const packages = fetchPackages(request.platforms, join(work, "packages"));
  const layout = join(work, "layout");
  for (const platform of request.platforms) {
    const directory = join(work, platform.debian);
    writeImage(directory, listPackagedParts(packages, platform));
    packLayers(join(directory, "layers"));
    const status = collectPlatform(directory, { ...request, layout, platform, work });
    if (status !== 0) return status;
  }
  const digest = writeIndex(layout, request.platforms);
  for (const destination of request.destinations) copy(layout, destination, request);
  console.log(digest);
  return 0;
}

/** Makes archives of the trees: they belong to root, whoever runs this. */
function packLayers(directory) {
  for (const name of readdirSync(directory)) {
    const tree = join(directory, name);
    const owner = ["--owner=0", "--group=0", "--numeric-owner"];
    run("tar", ["--create", `--file=${tree}.tar`, ...owner, `--directory=${tree}`, "."]);
    rmSync(tree, { recursive: true });
  }
}

function collectPlatform(directory, { layout, platform, work, wordsOfCollect, isQuiet }) {
  const words = [`--platform=${platform.name}`, `--output=oci:${layout}:${platform.debian}`];
  // In a store of its own there is no previous image of another compression whose layers would count as equal.
  const env = { ...process.env, XBUILD_STORE: join(work, "store") };
  const stdio = ["ignore", isQuiet ? "ignore" : "inherit", "inherit"];
  const quiet = isQuiet ? ["--quiet"] : [];
  return collect(directory, [...words, ...quiet, ...wordsOfCollect], { env, stdio });
}

/**
 * Replaces the images in the layout's `index.json` by one index of them.
 * OCI image specification 1.1, "Image Layout" and "Image Index"
 * @returns the digest of the index
 */
function writeIndex(layout, platforms) {
  const file = join(layout, "index.json");
  const { manifests } = JSON.parse(readFileSync(file, "utf8"));
  const listed = platforms.map(({ name, debian }) => {
    const { mediaType, digest, size } = manifests.find(
      ({ annotations }) => annotations["org.opencontainers.image.ref.name"] === debian,
    );
    const [os, architecture] = name.split("/");
    return { mediaType, digest, size, platform: { architecture, os } };
  });
  const index = { schemaVersion: 2, mediaType: typeOfIndex, manifests: listed };
  const bytes = Buffer.from(JSON.stringify(index));
  const hex = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(layout, "blobs/sha256", hex), bytes);
  const root = { mediaType: typeOfIndex, digest: `sha256:${hex}`, size: bytes.length };
  writeFileSync(file, JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  return root.digest;
}

function copy(layout, destination, request) {
  tell(request, `Writing ${destination}`);
  const words = ["--all", "--preserve-digests", ...request.wordsOfSkopeo];
  run("skopeo", ["copy", ...words, `oci:${layout}`, destination]);
}

function tell({ isQuiet }, text) {
  if (!isQuiet) console.error(`==> ${text}`);
}
