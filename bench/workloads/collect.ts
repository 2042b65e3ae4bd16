import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureInTurn, run, type Command, type Contender } from "../measure.ts";
import { renderSize } from "../format.ts";
import { findProgram } from "../programs.ts";
import type { Row } from "../results.ts";
import { inRoom, type Room } from "../room.ts";

const gibibyte = 1024 ** 3;

/** Where the files come from. */
export interface Source {
  readonly room: Room;
  /** A directory with one for each package. */
  readonly packages: string;
}

/** F: a large root, a layer for each package, against one fat layer of the same files. */
export async function measurePackages(
  { room, packages }: Source,
  scale: number,
  rounds: number,
): Promise<Row[]> {
  const output = join(room.directory, "split");
  const size = await growPackages(room, packages, join(output, "layers"), 2.5 * scale * gibibyte);
  const what = `package trees of ${renderSize(size)}, a layer each`;
  const peer = await packWhole(room, output);
  const rows = await compareCollecting(room, output, { what, goal: packGoal, peer, rounds });
  await rm(output, { recursive: true });
  return rows;
}

/** For collecting against `packWhole` with pigz. */
export const packGoal = "0.9 x, below 150 MB";

/** All layers of an output in one archive, by programs that people would use: on all cores where pigz is here. */
export async function packWhole(room: Room, output: string): Promise<readonly Contender[]> {
  const hasPigz = (await findProgram("pigz")) !== undefined;
  const gzip = hasPigz ? "pigz -6" : "gzip -6";
  const script = `tar -C "${output}/layers" -c . | ${gzip} | sha256sum`;
  const own = { name: `tar, ${gzip}, sha256sum`, command: inRoom(room, "sh", "-c", script) };
  return [own, ...(await splitByChunkah(room, output))];
}

/** Into layers by the attribute that it goes by (`user.component`), where it is here. */
async function splitByChunkah(room: Room, output: string): Promise<readonly Contender[]> {
  if ((await findProgram("chunkah")) === undefined) return [];
  const script = `cd "$1/layers" && for one in *; do setfattr -n user.component -v "$one" "$one"; done`;
  await run(inRoom(room, "sh", "-c", script, "sh", output));
  const flags = ["--compressed", "--max-layers=448", `--output=${room.directory}/chunkah.tar`];
  const command = inRoom(room, "chunkah", "build", `--rootfs=${output}/layers`, ...flags);
  return [{ name: "chunkah", command }];
}

/** G: blobs that are ready, plain and gzipped, against copying and hashing them. */
export async function measureReadyBlobs(
  { room, packages }: Source,
  scale: number,
  rounds: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const form of ["plain", "gzip"] as const) {
    const output = join(room.directory, `ready-${form}`);
    const size = await writeBlobs({ room, packages }, output, form, 2 * scale * gibibyte);
    const blobs = `${output}/blobs/sha256`;
    const copy = join(room.directory, "copied");
    const command = inRoom(
      room,
      "sh",
      "-c",
      form === "plain"
        ? `cp -r "${blobs}" "${copy}" && sha256sum "${copy}"/*`
        : `for blob in "${blobs}"/*; do gunzip <"$blob" | sha256sum; done`,
    );
    const prepare = (): Promise<void> => rm(copy, { recursive: true, force: true });
    const name = form === "plain" ? "cp, sha256sum" : "gunzip, sha256sum";
    const found = await compareCollecting(room, output, {
      what: `ready ${form} blobs of ${renderSize(size)} unpacked`,
      goal: form === "plain" ? "1.0 x" : "0.6 x",
      peer: [{ name, prepare, command }],
      rounds,
    });
    rows.push(...found);
    await rm(copy, { recursive: true, force: true });
    await rm(output, { recursive: true });
  }
  return rows;
}

interface Race {
  readonly what: string;
  readonly goal: string;
  readonly peer: readonly Contender[];
  readonly rounds: number;
}

/** The goal is one against the first of the peers. */
export async function compareCollecting(room: Room, output: string, race: Race): Promise<Row[]> {
  const staging = join(room.directory, "staging");
  const prepare = async (): Promise<void> => {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging);
  };
  const command = collectCommand(room, output, staging);
  const [ours, ...peers] = await measureInTurn(
    [{ name: "ours", prepare, command }, ...race.peer],
    race.rounds,
  );
  await rm(staging, { recursive: true, force: true });
  const { what, goal } = race;
  if (ours === undefined) return [];
  return peers.map((peer, index) => ({ what, ours, peer, goal: index === 0 ? goal : "" }));
}

/** A process of its own, so that its memory is that of collecting alone. */
function collectCommand(room: Room, output: string, staging: string): Command {
  const program = fileURLToPath(new URL("collect-process.js", import.meta.url));
  return inRoom(room, process.execPath, program, output, staging);
}

/** Copies of every package side by side, until the whole is large enough. @returns bytes. */
async function growPackages(
  room: Room,
  packages: string,
  layers: string,
  wanted: number,
): Promise<number> {
  await mkdir(layers, { recursive: true });
  const size = await measureDirectory(room, packages);
  const copies = Math.max(1, Math.round(wanted / size));
  const grow = `cd "$1" && for p in *; do mkdir "$2/$p" && for i in $(seq ${copies}); do cp -a "$p" "$2/$p/$i"; done; done`;
  await run(inRoom(room, "sh", "-c", grow, "sh", packages, layers));
  return size * copies;
}

async function measureDirectory(room: Room, directory: string): Promise<number> {
  const file = join(room.directory, "measured.tar");
  await run(inRoom(room, "tar", "-C", directory, "-cf", file, "."));
  const handle = await open(file);
  const { size } = await handle.stat();
  await handle.close();
  return size;
}

/** One archive, each time behind another first entry: gzip allows several members, and no two blobs are equal. */
async function writeBlobs(
  { room, packages }: Source,
  output: string,
  form: "plain" | "gzip",
  wanted: number,
): Promise<number> {
  const blobs = join(output, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const common = join(room.directory, "common.tar");
  await run(inRoom(room, "tar", "-C", packages, "-cf", common, "."));
  const handle = await open(common);
  const { size } = await handle.stat();
  await handle.close();
  if (form === "gzip") await run(inRoom(room, "sh", "-c", `gzip -6 <"${common}" >"${common}.gz"`));
  const count = Math.max(1, Math.round(wanted / size));
  const history: { created_by: string; digest: string }[] = [];
  for (let index = 0; index < count; index += 1) {
    const digest = await writeBlob(room, form === "gzip" ? `${common}.gz` : common, blobs, form);
    history.push({ created_by: `blob ${index}`, digest });
  }
  await rm(common);
  const list = await open(join(output, "history.json"), "w");
  await list.writeFile(JSON.stringify(history));
  await list.close();
  return size * count;
}

async function writeBlob(
  room: Room,
  common: string,
  blobs: string,
  form: "plain" | "gzip",
): Promise<string> {
  const directory = join(room.directory, "first");
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  // A header and a block of data: without its end-of-archive blocks the archive goes on in the common one.
  await writeFile(join(directory, `only-${randomBytes(8).toString("hex")}`), randomBytes(512));
  const unfinished = join(blobs, "unfinished");
  const head = `tar -b 1 -cf - only-* 2>/dev/null`;
  const pack = form === "gzip" ? " | gzip -6" : "";
  const script = `cd "${directory}" && ${head} | head -c 1024${pack} >"$1" && cat "$2" >>"$1"`;
  await run(inRoom(room, "sh", "-c", script, "sh", unfinished, common));
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(unfinished)) hash.update(chunk);
  const hex = hash.digest("hex");
  await rename(unfinished, join(blobs, hex));
  return `sha256:${hex}`;
}
