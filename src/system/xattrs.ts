import { spawn } from "node:child_process";
import { once } from "node:events";

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

/** Both read `path NUL` and write `path NUL name NUL hex NUL` for each attribute that a copy carries along. */
const perlText = String.raw`
use strict;
my ($list, $get) = map { $_ + 0 } @ARGV;
binmode STDIN; binmode STDOUT;
$/ = "\0";
while (my $path = <STDIN>) {
  chomp $path;
  my $names = "\0" x 65536;
  my $length = syscall($list, $path, $names, 65536);
  next if $length <= 0;
  for my $name (split /\0/, substr($names, 0, $length)) {
    next unless $name eq "security.capability" || $name =~ /^user\.(?!overlay\.)/;
    my $value = "\0" x 65536;
    my $size = syscall($get, $path, $name, $value, 65536);
    print $path, "\0", $name, "\0", unpack("H*", substr($value, 0, $size)), "\0" if $size >= 0;
  }
}
`;

const pythonText = String.raw`
import os, sys
for path in sys.stdin.buffer.read().split(b"\0")[:-1]:
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
        parts = path, os.fsencode(name), value.hex().encode(), b""
        sys.stdout.buffer.write(b"\0".join(parts))
`;

/** Program and arguments, the quickest to start first. */
function listPrograms(): readonly (readonly [program: string, ...args: string[]])[] {
  const calls = xattrCalls[process.arch];
  const perl = calls === undefined ? [] : [["perl", "-e", perlText, ...calls.map(String)] as const];
  return [...perl, ["python3", "-I", "-S", "-c", pythonText] as const];
}

/**
 * File capabilities and `user.` attributes: what the engines' COPY carries along. Node has no call for them, so a
 * program reads them; where the machine has none, nothing is known of them.
 * @param paths relative to `directory`, one character a byte
 * @returns of those that have some: `name=hex` each, sorted, by path
 */
export async function readCopiedXattrs(
  directory: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (process.platform !== "linux" || paths.length === 0) return new Map();
  for (const [program, ...args] of listPrograms()) {
    const input = Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1");
    const output = await runProgram([program, ...args], { directory, input, signal });
    if (output !== undefined) return parseOutput(output);
  }
  return new Map();
}

interface ProgramRun {
  readonly directory: string;
  readonly input: Buffer;
  readonly signal: AbortSignal | undefined;
}

/** Its whole output, one character a byte; undefined where it is not there or fails. */
async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  { directory, input, signal }: ProgramRun,
): Promise<string | undefined> {
  const child = spawn(program, args, {
    cwd: directory,
    stdio: ["pipe", "pipe", "ignore"],
    ...(signal === undefined ? {} : { signal }),
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let output = "";
  child.stdout.setEncoding("latin1").on("data", (chunk: string) => (output += chunk));
  try {
    const [status] = await once(child, "close");
    return status === 0 ? output : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function parseOutput(output: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const fields = output.split("\0");
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const path = (fields[at] ?? "").slice(2);
    const known = found.get(path) ?? [];
    known.push(`${fields[at + 1]}=${fields[at + 2]}`);
    found.set(path, known.sort());
  }
  return found;
}
