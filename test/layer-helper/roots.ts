import { spawnSync } from "node:child_process";
import { chownSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { link, makeScratch, put } from "./lab.ts";

/** A package of a hand-made dpkg database. */
export interface DpkgPackage {
  readonly name: string;
  readonly version?: string;
  readonly architecture?: string;
  readonly source?: string;
  readonly priority?: string;
  readonly essential?: boolean;
  /** The third word of its Status field. */
  readonly state?: string;
  /** The name of its info files, where that is not the package's. */
  readonly info?: string;
  /** Absolute, as dpkg writes them. */
  readonly list: readonly string[];
}

/** Writes the database of these packages below a root. */
export function putDpkg(root: string, packages: readonly DpkgPackage[]) {
  const info = join(root, "var/lib/dpkg/info");
  mkdirSync(info, { recursive: true });
  put(root, "var/lib/dpkg/info/format", "1\n");
  put(root, "var/lib/dpkg/status", packages.map(renderStanza).join("\n"));
  for (const one of packages) {
    const name = one.info ?? one.name;
    writeFileSync(join(info, `${name}.list`), ["/.", ...one.list, ""].join("\n"));
    writeFileSync(join(info, `${name}.md5sums`), "");
  }
}

function renderStanza(one: DpkgPackage): string {
  const lines = [
    `Package: ${one.name}`,
    `Status: install ok ${one.state ?? "installed"}`,
    ...(one.essential === true ? ["Essential: yes"] : []),
    `Priority: ${one.priority ?? "optional"}`,
    `Architecture: ${one.architecture ?? "amd64"}`,
    ...(one.source === undefined ? [] : [`Source: ${one.source}`]),
    `Version: ${one.version ?? "1.0"}`,
    "Description: Package: no field",
    " Version: 9",
  ];
  return `${lines.join("\n")}\n`;
}

/** Directories with the merged /usr of today's Debian. */
export function makeMergedRoot(): string {
  const root = makeScratch();
  for (const directory of ["usr/bin", "usr/lib", "usr/share/doc", "etc", "var/lib", "run"]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  link(root, "bin", "usr/bin");
  link(root, "lib", "/usr/lib");
  link(root, "var/run", "/run");
  return root;
}

/** All that a name, an inode or an owner can be and still be in an image. */
export function putOddities(root: string, directory: string) {
  const names = ["-dash", " both ", "a\\nb", "*?[x]", "tab\there", "quo\"te's", "é包", "$(x)"];
  for (const name of names) put(root, join(directory, name));
  put(root, join(directory, "line\nbreak/in\na's name"), "found");
  put(root, join(directory, "setuid"), "s", 0o4755);
  put(root, join(directory, "owned"), "o", 0o640);
  chownSync(join(root, directory, "owned"), 1234, 70_000);
  mkdirSync(join(root, directory, "sticky"), { mode: 0o777 });
  execute("chmod", ["1777", join(root, directory, "sticky")]);
  mkdirSync(join(root, directory, "empty"), { mode: 0o700 });
  execute("mkfifo", [join(root, directory, "fifo")]);
  put(root, join(directory, "linked/one"), "linked");
  linkSync(join(root, directory, "linked/one"), join(root, directory, "linked/two"));
  link(root, join(directory, "dangling"), "/no where");
  link(root, join(directory, "loop"), "loop");
  put(root, join(directory, "x".repeat(120), "y".repeat(200)), "long");
  putBytes(root, directory);
}

/** A name that is no UTF-8. */
function putBytes(root: string, directory: string) {
  const path = Buffer.concat([Buffer.from(`${join(root, directory)}/`), Buffer.from([0xff, 0xe9])]);
  writeFileSync(path, "bytes");
}

/** Extended attributes that an image keeps. */
export function putAttributes(root: string, path: string) {
  execute("setfattr", ["-n", "user.note", "-v", "kept", join(root, path)]);
  execute("setcap", ["cap_net_raw+ep", join(root, path)]);
}

export function execute(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${command}: ${result.stderr}`);
  return result.stdout;
}
