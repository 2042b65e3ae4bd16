import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { joinedHelper, writeJoinedHelper } from "../support/joined-helper.ts";
import type { JoinedHelper } from "../../scripts/join-helper.mjs";
import { renderCases } from "../../src/layers/directory/history-document.ts";
import { placeErrors } from "./places.ts";

/** The helper, as it is copied into the container. */
export const helperScript = join(writeJoinedHelper(), "layer");

/** A shell that runs the helper, and the programs that it finds. */
export interface Shell {
  readonly name: string;
  readonly command: readonly string[];
  readonly path: string;
}

const scratch = mkdtempSync(join(tmpdir(), "layer-helper-"));
chmodSync(scratch, 0o755);
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

let scratchCount = 0;

/** A new empty directory, removed after the tests of the file. */
export function makeScratch(): string {
  scratchCount += 1;
  const directory = join(scratch, String(scratchCount));
  mkdirSync(directory);
  return directory;
}

/** The shells that have all that split needs. */
export function listShells(): readonly Shell[] {
  const path = process.env["PATH"] ?? "";
  const busybox = linkApplets("busybox", ["busybox", "--list"]);
  return [
    { name: "dash", command: ["dash"], path },
    { name: "bash", command: ["bash", "--posix"], path },
    { name: "busybox", command: [join(busybox, "sh")], path: busybox },
  ];
}

/** The same where a directory is mounted so that nothing there can be written, but for a part of it. */
export function readOnly({ command, ...shell }: Shell, root: string, part?: string): Shell {
  const open = part === undefined ? "" : '/bin/mount --bind "$2" "$2";';
  const close = '/bin/mount -o remount,bind,ro "$1"';
  const script = `/bin/mount --bind "$1" "$1"; ${open} ${close}; shift 2; exec "$@"`;
  const mounted = ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", script, "sh", root, part ?? ""];
  return { ...shell, command: [...mounted, ...command] };
}

/** As if xbuild had looked at these directories: what it says of each. */
export function writeMarks({ base }: Lab, marks: Iterable<readonly [path: string, mark: string]>) {
  const lines = Array.from(marks, ([path, mark]) => {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino} ${mark}\n`;
  });
  writeFileSync(join(base, "bin/trees"), lines.join(""));
}

/** The awks of this machine that read several -f. */
export const awks = [["mawk"], ["gawk", "--posix"], ["original-awk"], ["busybox", "awk"]].filter(
  ([command = "", ...args]) => spawnSync(command, [...args, "BEGIN {}"]).status === 0,
);

/** dash with toybox's programs: they have no awk, so no split. */
export function toyboxShell(): Shell | undefined {
  if (spawnSync("toybox").error !== undefined) return undefined;
  return { name: "toybox", command: ["/bin/dash"], path: linkApplets("toybox", ["toybox"]) };
}

function linkApplets(program: string, list: readonly string[]): string {
  const [command = "", ...args] = list;
  const directory = makeScratch();
  const names = spawnSync(command, args, { encoding: "utf8" }).stdout.split(/\s+/);
  const target = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout;
  for (const name of names) {
    if (name !== "") symlinkSync(target.trim(), join(directory, name));
  }
  return directory;
}

/** A previous image's layer, as the names file tells of it. */
export interface PreviousLayer {
  readonly name: string;
  readonly digest: string;
  readonly blob?: 0 | 1;
}

export interface HelperResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An entry of history.jsonl. */
export interface Entry {
  readonly created_by: string;
  readonly path?: string;
  readonly digest?: string;
}

/** A `<path>` of OUTPUT with the helper in it. */
export interface Lab {
  readonly base: string;
  readonly output: string;
  run(args: readonly string[], options?: RunOptions): HelperResult;
  /** Runs and expects success with nothing said. */
  ok(args: readonly string[], options?: RunOptions): void;
  entries(): readonly Entry[];
  /** The paths in an entry's tar, sorted, without "./" and trailing slashes. */
  paths(name: string): readonly string[];
  /** Turns the output into the input of a next build, as a collector would. Gives the digests. */
  next(): ReadonlyMap<string, string>;
  /** @param first where the layers of the image that left the state begin, from 1; 0 for none, and how many they are */
  setNames(layers: readonly PreviousLayer[], first?: number, count?: number): void;
  /** @param baseLayers how many lie below those of the build */
  setMaxLayers(count: number, baseLayers?: number): void;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Commands that vouch for no file which changed just now. */
const looks = new Set(["split", "each"]);

/** Until what there is changed longer ago than two ticks of the clock. */
function waitForTick(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
}

/** @param helper the one under test; else the project's own */
export function createLab(shell: Shell, helper: JoinedHelper = joinedHelper): Lab {
  const base = join(makeScratch(), "layers dir");
  const output = join(base, "output");
  mkdirSync(join(base, "bin"), { recursive: true });
  mkdirSync(join(base, "input/state"), { recursive: true });
  mkdirSync(output);
  writeFileSync(join(base, "bin/layer"), helper.text);
  chmodSync(join(base, "bin/layer"), 0o755);
  const lab: Lab = {
    base,
    output,
    run(args, options = {}) {
      if (looks.has(args[0] ?? "")) waitForTick();
      const result = runHelper(shell, join(base, "bin/layer"), args, options);
      return { ...result, stderr: placeErrors(result.stderr, helper) };
    },
    ok(args, options) {
      const result = lab.run(args, options);
      if (result.status !== 0 || result.stderr !== "") {
        throw new Error(`layer ${args.join(" ")}: ${String(result.status)} ${result.stderr}`);
      }
    },
    entries: () => readEntries(output),
    paths: (name) => listTar(output, lab.entries(), name),
    next: () => turnOver(base, lab),
    setNames(layers, first = 0, count = 0) {
      writeFileSync(join(base, "bin/last"), `${first} ${count}\n`);
      const lines = layers.map(
        (layer) =>
          `${layer.digest}\t${layer.digest}\t${layer.blob ?? 1}\t${escapeName(layer.name)}\n`,
      );
      writeFileSync(join(base, "names"), lines.join(""));
      writeFileSync(
        join(base, "bin/names.sh"),
        renderCases(layers.map(({ name, digest }) => [name, digest])),
      );
    },
    setMaxLayers(count, baseLayers = 0) {
      const history = [{ created_by: '"maxLayers": 7', comment: '\\"maxLayers\\": 8' }];
      const document = { schemaVersion: 1, maxLayers: count, baseLayers, history, others: [] };
      writeFileSync(join(base, "history.json"), JSON.stringify(document));
    },
  };
  lab.setNames([]);
  lab.setMaxLayers(127);
  return lab;
}

function runHelper(
  shell: Shell,
  script: string,
  args: readonly string[],
  options: RunOptions,
): HelperResult {
  const [command = "", ...rest] = shell.command;
  const result = spawnSync(command, [...rest, script, ...args], {
    encoding: "utf8",
    input: options.input ?? "",
    env: { PATH: shell.path, LANG: "C.UTF-8", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  if (result.error !== undefined) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

function escapeName(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

function readEntries(output: string): readonly Entry[] {
  const file = join(output, "history.jsonl");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseEntry);
}

function parseEntry(line: string): Entry {
  const value: unknown = JSON.parse(line);
  if (!isEntry(value)) throw new Error(`no entry: ${line}`);
  return value;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "created_by" in value;
}

function listTar(output: string, entries: readonly Entry[], name: string): readonly string[] {
  const entry = entries.find((one) => one.created_by === name);
  if (entry?.path === undefined) throw new Error(`no new layer ${name}`);
  const listed = spawnSync("tar", ["--quoting-style=literal", "-tf", join(output, entry.path)], {
    encoding: "utf8",
  });
  if (listed.status !== 0) throw new Error(listed.stderr);
  const paths = listed.stdout
    .split("\n")
    .map((path) => path.replace(/^\.\//, "").replace(/\/$/, ""));
  return paths.filter((path) => path !== "").sort();
}

function turnOver(base: string, lab: Lab): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  const layers: PreviousLayer[] = [];
  for (const [index, entry] of lab.entries().entries()) {
    const digest = entry.digest ?? `sha256:${String(Date.now())}-${String(index)}`;
    digests.set(entry.created_by, digest);
    layers.push({ name: entry.created_by, digest });
  }
  lab.setNames(layers, 1, layers.length);
  rmSync(join(base, "input/state"), { recursive: true });
  if (existsSync(join(lab.output, "state"))) {
    cpSync(join(lab.output, "state"), join(base, "input/state"), { recursive: true });
  } else {
    mkdirSync(join(base, "input/state"));
  }
  rmSync(lab.output, { recursive: true });
  mkdirSync(lab.output);
  return digests;
}

/** Writes a file with the directories above it. */
export function put(root: string, path: string, content: string | Uint8Array = path, mode = 0o644) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

/** Makes a symbolic link with the directories above it. */
export function link(root: string, path: string, target: string) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}
