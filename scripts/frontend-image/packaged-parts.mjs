// Node, perl and their libraries out of packages of any platform: what they need is read in the files, as nothing of
// another architecture can be asked.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readElf } from "./elf.mjs";
import { versionOfNode } from "./fetch-packages.mjs";
import { RequestError } from "./request.mjs";

/** What `use strict; use Fcntl` loads. */
const modules = ["strict.pm", "Exporter.pm", "XSLoader.pm", "Fcntl.pm", "auto/Fcntl/Fcntl.so"];

/**
 * @param packages of `fetchPackages`
 * @returns versions and files of the parts, see `writeImage`
 */
export function listPackagedParts(packages, { debian, triplet }) {
  const { root, versions, node } = packages.get(debian);
  const perl = join(root, "usr/bin/perl");
  const loaded = modules.map((one) => `/usr/lib/${triplet}/perl-base/${one}`);
  const shared = loaded.filter((one) => one.endsWith(".so")).map((one) => join(root, one));
  return {
    libraries: {
      version: versions.get("libc6"),
      files: listLibraries([node, perl, ...shared], { root, triplet }),
    },
    perl: {
      version: versions.get("perl-base"),
      files: [[perl, "/usr/bin/perl"], ...loaded.map((one) => [join(root, one), one])],
    },
    node: { version: versionOfNode, files: [[node, "/usr/bin/node"]] },
  };
}

/** All libraries that the objects need, and the dynamic loader at the path that programs have for it. */
function listLibraries(objects, { root, triplet }) {
  const paths = new Map();
  const visit = (object) => {
    const { loader, needed } = readElf(object);
    if (loader !== undefined) paths.set(basename(loader), loader);
    for (const name of needed.filter((one) => !paths.has(one))) {
      paths.set(name, `/lib/${triplet}/${name}`);
      visit(findLibrary(name, { root, triplet }));
    }
  };
  objects.forEach(visit);
  const files = [...paths].map(([name, path]) => [findLibrary(name, { root, triplet }), path]);
  return files.sort(([, one], [, other]) => (one < other ? -1 : 1));
}

function findLibrary(name, { root, triplet }) {
  // Packages of Debian 12 have both; the image has /lib alone, where the loader looks first.
  const places = ["lib", "usr/lib"].map((one) => join(root, one, triplet, name));
  const found = places.find((one) => existsSync(one));
  if (found === undefined)
    throw new RequestError(
      `${name} is needed, and in none of the Debian packages that are fetched`,
    );
  return found;
}
