import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { runProgram } from "./run.ts";

/** A release of Debian, asked by apt in a directory of its own, so that nothing of this machine's system counts. */
export interface Apt {
  readonly codename: string;
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  readonly runIn: (cwd: string, program: string, ...args: readonly string[]) => Promise<string>;
}

/** A version of a package that can be had, as the registry describes it. */
export type Stanza = ReadonlyMap<string, string>;

/** The sources of a release as they stand in a new system; mmdebstrap takes these lines, too. */
export function listSources(codename: string): readonly string[] {
  const by = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
  const main = "http://deb.debian.org/debian";
  return [
    `deb ${by} ${main} ${codename} main`,
    `deb ${by} ${main} ${codename}-updates main`,
    `deb ${by} http://security.debian.org/debian-security ${codename}-security main`,
  ];
}

/** Makes the directory and fetches the lists of packages. */
export async function openApt(codename: string): Promise<Apt> {
  const root = resolve(cacheDirectory, `apt-${codename}`);
  const places = [
    "etc/apt/preferences.d",
    "var/lib/dpkg",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
  ];
  for (const place of places) await mkdir(join(root, place), { recursive: true });
  const status = join(root, "var/lib/dpkg/status");
  await writeFile(status, "");
  await writeFile(join(root, "etc/apt/sources.list"), `${listSources(codename).join("\n")}\n`);
  const settings = {
    Dir: root,
    "Dir::State::status": status,
    "Dir::Etc::sourceparts": "-",
    "APT::Sandbox::User": "root",
    "APT::Install-Recommends": "false",
    "APT::Architecture": "amd64",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const runIn: Apt["runIn"] = (cwd, program, ...args) =>
    runProgram([program, ...options, ...args], { cwd });
  const run: Apt["run"] = (program, ...args) => runIn(root, program, ...args);
  await run("apt-get", "update");
  return { codename, run, runIn };
}

/** The names of all packages that a system of the smallest kind has with these, sorted: what apt would install. */
export async function resolvePackages(
  apt: Apt,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const basic = ["?essential", "?priority(required)", "apt"];
  const text = await apt.run("apt-get", "--simulate", "install", ...basic, ...wanted);
  return [...text.matchAll(/^Inst (\S+) /gm)].map(([, name = ""]) => name).toSorted();
}

/** All versions of these packages that can be had. */
export async function listVersions(apt: Apt, names: readonly string[]): Promise<readonly Stanza[]> {
  const known = new Map<string, Stanza>();
  for (const stanza of parseStanzas(await apt.run("apt-cache", "show", ...names))) {
    known.set(`${stanza.get("Package")} ${stanza.get("Version")}`, stanza);
  }
  return [...known.values()];
}

/** Reads a list of packages: paragraphs of `Field: value`, where longer values go on in lines that begin with a space. */
export function parseStanzas(text: string): readonly Stanza[] {
  return text
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => {
      const fields = paragraph.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm);
      return new Map([...fields].map(([, name = "", value = ""]) => [name, value]));
    });
}

/** Downloads what is not there yet; returns the file of each. */
export async function download(apt: Apt, stanzas: readonly Stanza[]): Promise<readonly string[]> {
  const directory = resolve(cacheDirectory, "debs");
  await mkdir(directory, { recursive: true });
  const present = new Set(await readdir(directory));
  const missing = stanzas.filter((stanza) => !present.has(nameFile(stanza)));
  const versions = missing.map((stanza) => `${stanza.get("Package")}=${stanza.get("Version")}`);
  // apt writes into the directory in which it runs.
  if (versions.length > 0) await apt.runIn(directory, "apt-get", "download", ...versions);
  return stanzas.map((stanza) => join(directory, nameFile(stanza)));
}

function nameFile(stanza: Stanza): string {
  const version = stanza.get("Version")?.replaceAll(":", "%3a");
  return `${stanza.get("Package")}_${version}_${stanza.get("Architecture")}.deb`;
}
