// Node, perl and their libraries as this machine has them.
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";

/** @returns versions and files of the parts, see `writeImage` */
export function listOwnParts() {
  const node = realpathSync(process.execPath);
  const perl = realpathSync(ask("sh", "-c", "command -v perl"));
  const modules = ask(
    perl,
    "-e",
    "use strict; use Fcntl; print join qq(\\n), values %INC, @DynaLoader::dl_shared_objects",
  ).split("\n");
  const libraries = new Set([node, perl].flatMap(listLibraries));
  return {
    libraries: {
      version: ask("sh", "-c", "ldd --version | sed -n '1s/.* //p'"),
      files: [...libraries].sort((one, other) => (one < other ? -1 : 1)).map(inPlace),
    },
    perl: {
      version: ask(perl, "-e", "print $^V =~ s/^v//r"),
      files: [[perl, "/usr/bin/perl"], ...modules.map(inPlace)],
    },
    node: { version: process.versions.node, files: [[node, "/usr/bin/node"]] },
  };
}

function listLibraries(program) {
  const text = ask("ldd", program);
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path]) => path);
}

function inPlace(path) {
  return [path, path];
}

function ask(program, ...words) {
  return execFileSync(program, words, { encoding: "utf8" }).trim();
}
