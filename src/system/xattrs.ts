import { spawn } from "node:child_process";

/** llistxattr(2) and lgetxattr(2) by Node's name of the processor. */
export const xattrCalls: Readonly<Record<string, readonly [list: number, get: number]>> = {
  x64: [195, 192],
  arm64: [12, 9],
  riscv64: [12, 9],
  loong64: [12, 9],
  ia32: [233, 230],
  arm: [233, 230],
  ppc64: [216, 213],
  s390x: [231, 228],
};

/**
 * Both read `path NUL` and write `path NUL name NUL =hex NUL` for each attribute that a copy carries along. An empty path
 * is answered with `NUL`, and all that was to be written is written by then.
 */
const perlText = String.raw`
use strict;
my ($list, $get) = map { $_ + 0 } @ARGV;
binmode STDIN; binmode STDOUT;
$/ = "\0";
my ($names, $value) = ("\0" x 65536, "\0" x 65536);
while (my $path = <STDIN>) {
  chomp $path;
  if ($path eq "") { $| = 1; print "\0"; $| = 0; next }
  my $length = syscall($list, $path, $names, 65536);
  next if $length <= 0;
  for my $name (split /\0/, substr($names, 0, $length)) {
    next unless $name eq "security.capability" || $name =~ /^user\.(?!overlay\.)/;
    my $size = syscall($get, $path, $name, $value, 65536);
    print $path, "\0", $name, "\0=", unpack("H*", substr($value, 0, $size)), "\0" if $size >= 0;
  }
}
`;

const pythonText = String.raw`
import os, sys
rest = b""
while chunk := sys.stdin.buffer.read1(65536):
    *paths, rest = (rest + chunk).split(b"\0")
    for path in paths:
        if path == b"":
            sys.stdout.buffer.write(b"\0")
            sys.stdout.buffer.flush()
            continue
        try:
            names = os.listxattr(path, follow_symlinks=False)
        except OSError:
            continue
        for name in names:
            if name != "security.capability" and (not name.startswith("user.") or name.startswith("user.overlay.")):
                continue
            try:
                value = os.getxattr(path, name, follow_symlinks=False)
            except OSError:
                continue
            parts = path, os.fsencode(name), b"=" + value.hex().encode(), b""
            sys.stdout.buffer.write(b"\0".join(parts))
`;

/** Program and arguments, the quickest to start first. */
function listPrograms(): readonly (readonly [program: string, ...args: string[]])[] {
  const calls = xattrCalls[process.arch];
  const perl = calls === undefined ? [] : [["perl", "-e", perlText, ...calls.map(String)] as const];
  return [...perl, ["python3", "-I", "-S", "-c", pythonText] as const];
}

/** `name=hex` of each attribute, sorted, by the paths of those that have some; one character a byte. */
export type Attributes = ReadonlyMap<string, readonly string[]>;

export interface AttributeReader {
  /** Starts the program: whoever knows that something will be asked need not wait for that then. */
  readonly start: () => void;
  /** @param paths relative to the directory, each with `./` before and a NUL behind it; at least one */
  readonly read: (paths: Uint8Array) => Promise<Attributes>;
  readonly close: () => void;
}

/**
 * Reads file capabilities and `user.` attributes: what the engines' COPY carries along. Node has no call for them, so a
 * program reads them, which is started when it is first asked, or before, and then kept; where the machine has none, nothing is
 * known of them. One question at a time.
 */
export function openAttributeReader(directory: string, signal?: AbortSignal): AttributeReader {
  let programs = process.platform === "linux" ? listPrograms() : [];
  let running: RunningProgram | undefined;
  return {
    start: () => {
      const [program] = programs;
      if (program !== undefined) running ??= startProgram(program, directory, signal);
    },
    read: async (paths) => {
      for (let program = programs[0]; program !== undefined; program = programs[0]) {
        running ??= startProgram(program, directory, signal);
        const output = await running.ask(paths);
        signal?.throwIfAborted();
        if (output !== undefined) return parseOutput(output);
        running = undefined;
        programs = programs.slice(1);
      }
      return new Map();
    },
    close: () => running?.end(),
  };
}

interface RunningProgram {
  /** What it writes, one character a byte; undefined where it is not there or fails. */
  readonly ask: (paths: Uint8Array) => Promise<string | undefined>;
  readonly end: () => void;
}

function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal | undefined,
): RunningProgram {
  const options = signal === undefined ? { cwd } : { cwd, signal };
  const child = spawn(program, args, { ...options, stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  let answer: ((output: string | undefined) => void) | undefined;
  let hasEnded = false;
  const fail = (): void => {
    hasEnded = true;
    answer?.(undefined);
  };
  child.on("error", fail).on("close", fail);
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
    output += chunk;
    // No other field is empty.
    if (output === "\0" || output.endsWith("\0\0")) answer?.(output.slice(0, -1));
  });
  return {
    ask: async (paths) => {
      if (hasEnded) return undefined;
      output = "";
      const answered = new Promise<string | undefined>((resolve) => (answer = resolve));
      child.stdin.write(Buffer.concat([paths, Buffer.of(0)]));
      return answered;
    },
    end: () => child.stdin.end(),
  };
}

function parseOutput(output: string): Attributes {
  const found = new Map<string, string[]>();
  const fields = output.split("\0");
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const path = (fields[at] ?? "").slice(2);
    const known = found.get(path) ?? [];
    known.push(`${fields[at + 1]}${fields[at + 2]}`);
    found.set(path, known.sort());
  }
  return found;
}
