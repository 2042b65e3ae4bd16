import { hasProc } from "../../system/linux.ts";
import { xattrCalls } from "../../system/xattrs.ts";

/** Programs that list extended attributes, for Node cannot. All write `path NUL name NUL hex NUL`. */
export interface XattrProgram {
  readonly program: string;
  readonly args: readonly string[];
}

/*
 * Both walk the directory that is open as descriptor 3, and reach everything through open directories, as
 * read/directory.ts does: nothing is followed. On the way down few of them stay open, as in read/descent.ts: a
 * descriptor that is missing would lose attributes without a word, so that ends them with an error. What the packer
 * refuses for its depth is not entered. What belongs to the machine (see normalizeXattrs) is left out there already, for on
 * some machines every file has it.
 */

const maxOpen = 16;
const maxDepth = 1001;

const perlText = String.raw`
use strict;
use Fcntl;
my ($list, $get, $max_open, $max_depth) = map { $_ + 0 } @ARGV;
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
sub directory {
  my ($path) = @_;
  return $_[1] if sysopen($_[1], $path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  die "$!\n" if $! == 23 || $! == 24;
  return;
}
sub path_of { return "/proc/self/fd/" . fileno($_[0]) }
sub identity { return join ":", (stat $_[0])[0, 1] }
sub walk {
  my (undef, $prefix, $depth) = @_;
  opendir(my $listing, path_of($_[0])) or die "$!\n";
  my @names = grep { $_ ne "." && $_ ne ".." } readdir $listing;
  closedir $listing;
  for my $name (@names) {
    my $path = path_of($_[0]) . "/$name";
    lstat($path) or next;
    my $is_directory = -d _;
    attributes($path, "$prefix$name");
    next unless $is_directory && $depth < $max_depth;
    directory($path, my $child) or next;
    my $identity = identity($_[0]);
    close $_[0] if $depth > $max_open;
    walk($child, "$prefix$name/", $depth + 1);
    if ($depth > $max_open) {
      directory(path_of($child) . "/..", $_[0]) or die "$!\n";
      die "a directory was moved\n" if identity($_[0]) ne $identity;
    }
    close $child;
  }
}
open(my $root, "<&=", 3) or die "$!\n";
walk($root, "", 1);
`;

const pythonText = String.raw`
import os, sys
max_open, max_depth = int(sys.argv[1]), int(sys.argv[2])
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
def path_of(directory):
    return b"/proc/self/fd/%d/" % directory
def open_directory(path):
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
def identity(directory):
    status = os.fstat(directory)
    return status.st_dev, status.st_ino
def walk(directory, prefix, depth):
    for name in os.listdir(path_of(directory)):
        path = path_of(directory) + name
        attributes(path, prefix + name)
        if depth >= max_depth:
            continue
        try:
            child = open_directory(path)
        except OSError as error:
            if error.errno in (23, 24):
                raise
            continue
        before = identity(directory)
        if depth > max_open:
            os.close(directory)
        child = walk(child, prefix + name + b"/", depth + 1)
        if depth > max_open:
            directory = open_directory(path_of(child) + b"..")
            if identity(directory) != before:
                sys.exit("a directory was moved")
        os.close(child)
    return directory
sys.setrecursionlimit(5000)
walk(3, b"", 1)
`;

/** In the order in which they are tried: the quickest to start first. They need /proc, and Linux's attributes. */
export function listXattrPrograms(processor: string): readonly XattrProgram[] {
  if (!hasProc()) return [];
  const calls = xattrCalls[processor];
  const limits = [maxOpen, maxDepth].map(String);
  const perl =
    calls === undefined
      ? []
      : [{ program: "perl", args: ["-e", perlText, ...calls.map(String), ...limits] }];
  return [...perl, { program: "python3", args: ["-I", "-S", "-c", pythonText, ...limits] }];
}
