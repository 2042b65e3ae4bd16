import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./measure.ts";
import { inRoom, type Room } from "./room.ts";

/** As many layers as the image of the design page has. */
const packageCount = 96;
/** On top of minbase, so that there are enough packages. */
const more = "ca-certificates,less,nano,procps,xz-utils";

/**
 * A directory with one directory per Debian package, its files with their owners and modes. The root is
 * made once and kept in the cache; the directory belongs to the room.
 * @returns the names of the packages, sorted.
 */
export async function unpackPackages(room: Room, target: string): Promise<readonly string[]> {
  const archive = await makeRoot(room);
  const root = join(room.directory, "root");
  await mkdir(root);
  await run(inRoom(room, "tar", "-xpf", archive, "-C", root));
  const info = join(root, "var/lib/dpkg/info");
  const lists = (await readdir(info)).filter((name) => name.endsWith(".list")).sort();
  const names: string[] = [];
  for (const list of lists) {
    if (names.length === packageCount) break;
    const name = list.replace(/\.list$/, "").replace(/:.*$/, "");
    if (await unpackOne(room, root, join(info, list), join(target, name))) names.push(name);
  }
  await rm(root, { recursive: true });
  return names.sort();
}

async function makeRoot(room: Room): Promise<string> {
  const archive = join(room.cache, "root.tar");
  try {
    await access(archive);
  } catch {
    process.stderr.write("  making a Debian root with mmdebstrap (once)\n");
    const unfinished = join(room.directory, "root.tar");
    const options = ["--quiet", "--variant=minbase", `--include=${more}`];
    await run(inRoom(room, "mmdebstrap", ...options, "bookworm", unfinished));
    await rename(unfinished, archive);
  }
  return archive;
}

/** False where the package has nothing of its own but directories. */
async function unpackOne(room: Room, root: string, list: string, target: string): Promise<boolean> {
  const paths = (await readFile(list, "utf8")).split("\n").map(mergeUsr);
  const present = await keepPresent(root, paths);
  if (present.length === 0) return false;
  await mkdir(target, { recursive: true });
  const names = `${target}.names`;
  await writeFile(names, `${present.join("\n")}\n`);
  const copy = `tar -C "$1" --no-recursion -cf - -T "$2" | tar -C "$3" -xpf -`;
  await run(inRoom(room, "sh", "-c", copy, "sh", root, names, target));
  await rm(names);
  return true;
}

/** dpkg still lists what is in /usr under its old name, which is a link by now. */
function mergeUsr(path: string): string {
  return `.${path.replace(/^\/(?=(?:bin|sbin|lib|lib64)(?:\/|$))/, "/usr/")}`;
}

async function keepPresent(root: string, paths: readonly string[]): Promise<readonly string[]> {
  const wanted = paths.filter((path) => path !== "." && path !== "./.");
  const found = await Promise.all(
    wanted.map((path) =>
      access(join(root, path)).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return [...new Set(found.flat())];
}
