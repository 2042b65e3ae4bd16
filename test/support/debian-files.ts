import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";

/**
 * A directory with files of a Debian package, of any architecture, fetched with apt's sources: nothing is installed,
 * and no architecture is added to this system. Kept in the project's `.cache/`, which git ignores.
 * @param paths within the package; all of it unless given
 */
export async function unpackDebian(
  name: string,
  architecture: string,
  paths: readonly string[] = [],
): Promise<string> {
  const cache = resolve(".cache", "packages");
  const directory = join(cache, `${name}-${architecture}`);
  if ((await stat(directory).catch(() => undefined)) !== undefined) return directory;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "xbuild-packages-"));
  const unfinished = `${directory}.${process.pid}`;
  try {
    const file = await download(name, { architecture, work });
    await mkdir(unfinished);
    const script = `file=$1 && shift && dpkg-deb --fsys-tarfile "$file" | tar --extract "$@"`;
    const members = paths.map((path) => `./${path}`);
    const words = [file, `--directory=${unfinished}`, ...members];
    await execa("bash", ["-o", "pipefail", "-c", script, "bash", ...words]);
    await rename(unfinished, directory).catch(async (error: unknown) => {
      // Another test was faster.
      if ((await stat(directory).catch(() => undefined)) === undefined) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await rm(work, { recursive: true, force: true });
  }
  return directory;
}

interface Wanted {
  readonly architecture: string;
  /** For apt's lists and what it fetches. */
  readonly work: string;
}

async function download(name: string, { architecture, work }: Wanted): Promise<string> {
  const config = join(work, "apt.conf");
  await mkdir(join(work, "state", "lists", "partial"), { recursive: true });
  await mkdir(join(work, "cache", "archives", "partial"), { recursive: true });
  await writeFile(join(work, "state", "status"), "");
  const settings = {
    "Dir::State": join(work, "state"),
    "Dir::State::status": join(work, "state", "status"),
    "Dir::Cache": join(work, "cache"),
    "APT::Architecture": architecture,
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  await writeFile(config, [...lines, `APT::Architectures { "${architecture}"; };\n`].join(""));
  const options = { cwd: work, env: { APT_CONFIG: config } };
  await execa("apt-get", ["update", "--quiet"], options);
  await execa("apt-get", ["download", "--quiet", name], options);
  const found = (await readdir(work)).find((one) => one.endsWith(".deb"));
  if (found === undefined) throw new Error(`apt-get has not fetched ${name}:${architecture}`);
  return join(work, found);
}
