/** Programs that list extended attributes, for Node cannot. All write `path NUL name NUL hex NUL`. */
export interface XattrProgram {
  readonly program: string;
  readonly args: readonly string[];
}

/** llistxattr(2) and lgetxattr(2) by Node's name of the processor. */
const systemCalls: Readonly<Record<string, readonly [list: number, get: number]>> = {
  x64: [195, 192],
  arm64: [12, 9],
  riscv64: [12, 9],
  loong64: [12, 9],
  ia32: [233, 230],
  arm: [233, 230],
  ppc64: [216, 213],
  s390x: [231, 228],
};

/*
 * Both walk the directory that is open as descriptor 3, and reach everything through open directories, as
 * read/directory.ts does: nothing is followed. What belongs to the machine (see isKeptXattr) is left
 * out there already, for on some machines every file has it.
 */

const perlText = String.raw`
use strict;
use Fcntl;
my ($list, $get) = map { $_ + 0 } @ARGV;
binmode STDOUT;
sub attributes {
  my ($path, $shown) = @_;
  my $names = "\0" x 65536;
  my $length = syscall($list, $path, $names, 65536);
  return if $length <= 0;
  for my $name (split /\0/, substr($names, 0, $length)) {
    next if $name eq "security.selinux" || $name =~ /^(?:trusted|user)\.overlay\./;
    my $value = "\0" x 65536;
    my $size = syscall($get, $path, $name, $value, 65536);
    next if $size < 0;
    print $shown, "\0", $name, "\0", unpack("H*", substr($value, 0, $size)), "\0";
  }
}
sub walk {
  my ($directory, $prefix) = @_;
  opendir(my $handle, $directory) or return;
  my @names = grep { $_ ne "." && $_ ne ".." } readdir $handle;
  closedir $handle;
  for my $name (@names) {
    my $path = "$directory/$name";
    lstat($path) or next;
    my $is_directory = -d _;
    attributes($path, "$prefix$name");
    next unless $is_directory;
    sysopen(my $child, $path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) or next;
    walk("/proc/self/fd/" . fileno($child), "$prefix$name/");
    close $child;
  }
}
walk("/proc/self/fd/3", "");
`;

const pythonText = String.raw`
import os, sys
def attributes(path, shown):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return
    for name in names:
        if name == "security.selinux" or name.startswith(("trusted.overlay.", "user.overlay.")):
            continue
        try:
            value = os.getxattr(path, name, follow_symlinks=False)
        except OSError:
            continue
        parts = shown, os.fsencode(name), value.hex().encode(), b""
        sys.stdout.buffer.write(b"\0".join(parts))
def walk(directory, prefix):
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        path = directory + b"/" + name
        attributes(path, prefix + name)
        try:
            child = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        walk(b"/proc/self/fd/%d" % child, prefix + name + b"/")
        os.close(child)
sys.setrecursionlimit(5000)
walk(b"/proc/self/fd/3", b"")
`;

/** In the order in which they are tried: the quickest to start first. */
export function listXattrPrograms(processor: string): readonly XattrProgram[] {
  const calls = systemCalls[processor];
  const perl =
    calls === undefined ? [] : [{ program: "perl", args: ["-e", perlText, ...calls.map(String)] }];
  return [...perl, { program: "python3", args: ["-I", "-S", "-c", pythonText] }];
}
