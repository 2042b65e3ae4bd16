// What programs and libraries of any architecture need, and Node without what no process maps: by elfutils, which knows
// them all (binutils are for one architecture each).
import { execFileSync } from "node:child_process";
import { run } from "./run.mjs";

/** @returns the path of the loader, where it is a program, and the names of the libraries that are needed */
export function readElf(path) {
  const text = execFileSync("eu-readelf", ["--dynamic", "--program-headers", path], {
    encoding: "utf8",
  });
  const [, loader] = /program interpreter: ([^\]]+)\]/.exec(text) ?? [];
  const needed = [...text.matchAll(/NEEDED\s+Shared library: \[([^\]]+)\]/g)];
  return { loader, needed: needed.map(([, name]) => name) };
}

/** Removes symbols and what debuggers read: a tenth of Node's size. */
export function strip(path) {
  run("eu-strip", [path]);
}
