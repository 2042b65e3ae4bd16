import { mkdirSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run, type Command, type Measurement } from "../measure.ts";
import type { Row } from "../results.ts";
import { baseImage, inRoom, xbuild, type Room } from "../room.ts";

const allFiles = 200_000;
const [filesOfDirectory, directoriesOfPart] = [100, 50];

/**
 * Q: a context of many small files: the first time, and nothing changed. The image is there and only what is remembered
 * of the files is not, so that what is measured is how the context is looked at.
 */
export async function measureContext(room: Room, scale: number, rounds: number): Promise<Row[]> {
  const count = Math.round(allFiles * scale);
  const context = join(room.directory, "context");
  makeTree(join(context, "tree"), count);
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,target=/context /layers/bin/layer add one -C /context/tree/part0/dir0 file-0.txt\n`,
  );
  await writeFile(join(context, ".containerignore"), "Containerfile.x\n.git\n");
  await commitTree(room, context);
  const command = xbuild(room, "-t", "context", "--no-load", context);
  const what = `a context of ${count.toLocaleString("en")} small files`;
  await run(command);
  const first = await measureFirst(room, { context, command, rounds });
  const unchanged = await measureUnchanged(room, { context, command, rounds });
  return [
    ...toRow(`${what}, the first time`, first, "1.2 x"),
    ...toRow(`${what}, nothing changed`, unchanged, "1.3 x"),
  ];
}

interface Pair {
  readonly context: string;
  readonly command: Command;
  readonly rounds: number;
}

type Measured = readonly Measurement[];

function measureFirst(room: Room, { context, command, rounds }: Pair): Promise<Measured> {
  const script = 'tar -c --exclude=.git -C "$0" . | sha256sum';
  return measureInTurn(
    [
      {
        name: "ours, the first time",
        prepare: () => rm(join(room.store, "cache"), { recursive: true, force: true }),
        command,
      },
      { name: "tar | sha256sum", command: inRoom(room, "sh", "-c", script, context) },
    ],
    rounds,
  );
}

async function measureUnchanged(room: Room, { context, command, rounds }: Pair): Promise<Measured> {
  const status = inRoom(room, "git", "-C", context, "status", "--porcelain");
  // What changed just now is looked at once more, by both.
  await run(inRoom(room, "sleep", "3"));
  await run(command);
  await run(status);
  return measureInTurn(
    [
      { name: "ours, nothing changed", command },
      { name: "git status", command: status },
    ],
    rounds,
  );
}

function toRow(what: string, [ours, peer]: Measured, goal: string): Row[] {
  return ours === undefined ? [] : [{ what, ours, peer, goal }];
}

function makeTree(root: string, count: number): void {
  for (let made = 0, number = 0; made < count; number += 1) {
    const part = `part${Math.floor(number / directoriesOfPart)}`;
    const directory = join(root, part, `dir${number}`);
    mkdirSync(directory, { recursive: true });
    for (let at = 0; at < filesOfDirectory && made < count; at += 1, made += 1) {
      const text = `file ${made}\n${"x".repeat((number * 7 + at * 13) % 600)}\n`;
      writeFileSync(join(directory, `file-${at}.txt`), text);
    }
  }
}

async function commitTree(room: Room, context: string): Promise<void> {
  const git = (...words: readonly string[]): Promise<void> =>
    run(inRoom(room, "git", "-C", context, ...words));
  // A step that mounts the context sees all of it.
  await git("init", "--quiet", "--separate-git-dir", `${context}.git`);
  await git("add", "--all");
  const author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  await git(...author, "-c", "gc.auto=0", "commit", "--quiet", "--message", "all");
}
