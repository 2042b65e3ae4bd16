// Debian's packages and Node's npm package for any platform, unpacked. Nothing is installed, and the machine's own
// architectures stay as they are.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strip } from "./elf.mjs";
import { run } from "./run.mjs";

/** Node's version in all images, whatever this machine has. */
export const versionOfNode = "22.23.5";

const debianPackages = ["libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "perl-base"];

/**
 * @param platforms of `readRequest`
 * @param directory a new one
 * @returns by Debian's name of the architecture: `root`, where Debian's packages are unpacked, `versions`, the upstream
 *   version of each, and `node`, the path of the program
 */
export function fetchPackages(platforms, directory) {
  const files = download(
    platforms.map(({ debian }) => debian),
    join(directory, "debian"),
  );
  return new Map(
    platforms.map(({ debian, npm }) => {
      const own = files.filter((file) => file.endsWith(`_${debian}.deb`));
      const root = join(directory, debian);
      const node = fetchNode(npm, join(directory, npm));
      return [debian, { root, versions: unpack(own, root), node }];
    }),
  );
}

/** @returns the paths of the packages */
function download(architectures, directory) {
  const config = join(directory, "apt.conf");
  for (const path of ["lists/partial", "archives/partial"])
    mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(join(directory, "status"), "");
  writeFileSync(config, settingsOfApt(architectures, directory));
  const names = architectures.flatMap((one) => debianPackages.map((name) => `${name}:${one}`));
  const apt = ["--quiet", `--config-file=${config}`];
  run("apt-get", [...apt, "update"], { cwd: directory });
  run("apt-get", [...apt, "download", ...names], { cwd: directory });
  return readdirSync(directory)
    .filter((one) => one.endsWith(".deb"))
    .map((one) => join(directory, one));
}

/** As a file and not as flags: it alone can take back what the machine's configuration says, as hooks after an update. */
function settingsOfApt(architectures, directory) {
  const cleared = [
    "APT::Architectures",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
  ];
  const settings = [
    ["APT::Architecture", architectures[0]],
    ...architectures.map((one) => ["APT::Architectures::", one]),
    ["APT::Sandbox::User", "root"],
    ["Acquire::Languages", "none"],
    ["Dir::State", directory],
    ["Dir::State::Lists", join(directory, "lists")],
    ["Dir::State::status", join(directory, "status")],
    ["Dir::Cache", directory],
  ];
  return [
    ...cleared.map((one) => `#clear ${one};\n`),
    ...settings.map(([key, value]) => `${key} "${value}";\n`),
  ].join("");
}

/** @returns upstream versions by the packages' names */
function unpack(files, root) {
  return new Map(
    files.map((file) => {
      run("dpkg-deb", ["--extract", file, root]);
      return [readField(file, "Package"), upstreamOf(readField(file, "Version"))];
    }),
  );
}

function readField(file, name) {
  return execFileSync("dpkg-deb", ["--field", file, name], { encoding: "utf8" }).trim();
}

/** A version without epoch and revision. Debian Policy, 5.6.12 */
function upstreamOf(version) {
  return version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
}

/** @returns the path of the program */
function fetchNode(name, directory) {
  mkdirSync(directory, { recursive: true });
  // The archive's integrity is npm's to check.
  run("npm", ["pack", "--loglevel=error", "--no-update-notifier", `${name}@${versionOfNode}`], {
    cwd: directory,
  });
  const member = "package/bin/node";
  run("tar", ["--extract", `--file=${name}-${versionOfNode}.tgz`, member], { cwd: directory });
  strip(join(directory, member));
  return join(directory, member);
}
