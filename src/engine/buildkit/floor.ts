/**
 * Rounds the times of all files below its first argument down to whole seconds: the archive that comes back has such
 * times alone, rounded to the nearest, and other engines round down. `touch` gets many names of one second at once; names
 * with a line break are done one by one. What tools an image lacks is no error: then times stay what they are. POSIX sh,
 * with the stat, touch and find of coreutils or busybox.
 */
export const floorScript = [
  'cd "$1" || exit 0',
  "PATH=$PATH:/usr/bin:/bin LC_ALL=C",
  "export PATH LC_ALL",
  "for one in find stat touch awk sed; do command -v $one >/dev/null || exit 0; done",
  "nl='\n'",
  // A line each: seconds, the time in full, the name. Only fractions matter.
  'find . ! -path "*$nl*" -exec stat -c "%Y %y %n" {} + 2>/dev/null |',
  'awk \'{ if ($3 !~ /\\.[0-9]*[1-9]/) next; name = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "", name); gsub(/\\047/, "\\047\\\\\\047\\047", name);' +
    ' if ($1 != last || count++ >= 500) { if (last != "") print ""; printf "touch -h -d @%s --", $1; last = $1; count = 0 }' +
    ' printf " \\047%s\\047", name } END { if (last != "") print "" }\' | sh 2>/dev/null',
  'find . -path "*$nl*" -exec sh -c \'for one do touch -h -d "@$(stat -c %Y -- "$one")" -- "$one"; done\' sh {} + 2>/dev/null',
  "exit 0",
].join("\n");

/** Whether it is that step which failed: its shell may not be there. */
export function isFloorFailure(error: unknown): boolean {
  return error instanceof Error && "code" in error && /xbuild-floor/.test(String(error.cause));
}
