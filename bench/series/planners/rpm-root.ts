import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Unit } from "../model.ts";
import { compareText, type Component } from "./components.ts";

/** Bytes of a file that nobody owns: what is over 1 MiB is a component of its own to chunkah. */
const piece = 1_000_000;

/** What the newest entries of a component's changelog are taken from, and when it was built, in seconds since 1970. */
export interface Source extends Component {
  readonly changes: Unit["changes"];
  readonly built: number;
}

/**
 * Makes a root of files without content: for each package one of its size, which an RPM database says it owns; the RPMs
 * have the changelogs, and the source package as the RPM they were built from. `cache` keeps RPMs from release to release.
 */
export function makeRpmRoot(
  root: string,
  cache: string,
  { sources, unowned }: { readonly sources: readonly Source[]; readonly unowned: number },
): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const packages = sources.flatMap((source) => buildPackages(source, cache));
  const install = ["--root", root, "--dbpath", "/var/lib/rpm", "-i", "--justdb"];
  const lax = ["--nodeps", "--noscripts", "--nosignature", "--ignorearch"];
  execFileSync("rpm", [...install, ...lax, ...packages], { stdio: "ignore" });
  for (const { key, size } of sources.flatMap(({ units }) => units)) {
    makeFile(join(root, `u-${key}`), size);
  }
  for (let at = 0; at < unowned; at += piece) {
    makeFile(join(root, `unowned-${at}`), Math.min(piece, unowned - at));
  }
}

function makeFile(path: string, size: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  closeSync(file);
}

/** The files of a source's packages. */
function buildPackages(source: Source, cache: string): readonly string[] {
  const spec = writeSpec(source);
  const directory = join(cache, createHash("sha256").update(spec).digest("hex").slice(0, 32));
  if (!existsSync(directory)) {
    const making = `${directory}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    writeFileSync(join(making, "x.spec"), spec);
    const definitions = Object.entries({
      _topdir: join(making, "top"),
      _rpmdir: join(making, "done"),
      _build_name_fmt: "%%{NAME}.rpm",
      _changelog_trimtime: "0",
      __os_install_post: "%{nil}",
      _build_id_links: "none",
      _binary_payload: "w1.gzdio",
      use_source_date_epoch_as_buildtime: "1",
    }).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(source.built) };
    execFileSync("rpmbuild", ["-bb", "--quiet", ...definitions, join(making, "x.spec")], {
      env,
      stdio: "ignore",
    });
    renameSync(join(making, "done"), directory);
    rmSync(making, { recursive: true });
  }
  return readdirSync(directory).map((file) => join(directory, file));
}

/** The release says when it was built, so that another build is another spec. */
function writeSpec({ name, units, changes, built }: Source): string {
  const own = name.replace(/^[^/]*\//, "");
  const about = "Summary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n";
  const files = units.map(({ key }) => `%{buildroot}/u-${key}`).join(" ");
  const others = units.filter(({ key }) => key !== own);
  const entries = changes.map(writeEntry).sort(compareEntries);
  return [
    `Name: ${own}\nVersion: 1\nRelease: ${built}\n${about}`,
    ...others.map(({ key }) => `%package -n ${key}\nSummary: x\n%description -n ${key}\nx\n`),
    `%install\nmkdir -p %{buildroot}\ntouch ${files}\n`,
    ...units.map(({ key }) => `%files${key === own ? "" : ` -n ${key}`}\n/u-${key}\n`),
    `%changelog\n${entries.map(({ text }) => text).join("")}`,
  ].join("");
}

interface Entry {
  readonly time: number;
  readonly text: string;
}

function writeEntry({ time }: Unit["changes"][number]): Entry {
  const date = new Date(time * 1000);
  const [weekday, day, month, year] = date.toUTCString().replace(",", "").split(" ");
  const clock = date.toISOString().slice(11, 19);
  return { time, text: `* ${weekday} ${month} ${day} ${clock} UTC ${year} x <x@x> - 1\n- x\n` };
}

/** RPM wants the newest first. */
function compareEntries(a: Entry, b: Entry): number {
  return b.time - a.time || compareText(a.text, b.text);
}
