/**
 * Rounds the times of all files below its first argument down to whole seconds: the archive that comes back has such
 * times alone, rounded to the nearest, and other engines round down. `touch` gets many names of one second at once; names
 * with a line break are done one by one. In an overlay each name of a file that is touched becomes a file of its own, so
 * the others are linked anew; then directories get their times. What tools an image lacks is no error: then times stay
 * what they are. POSIX sh, with the stat, touch, ln and find of coreutils or busybox.
 */
export const floorScript = [
  'cd "$1" || exit 0',
  "PATH=$PATH:/usr/bin:/bin LC_ALL=C",
  "export PATH LC_ALL",
  "for one in find stat touch awk ln; do command -v $one >/dev/null || exit 0; done",
  "nl='\n'",
  // A line each: seconds, links, file, type and mode, the time in full, the name. Only fractions matter.
  'find . ! -path "*$nl*" -exec stat -c "%Y %h %d:%i %f %y %n" {} + 2>/dev/null |',
  "awk '" +
    "function put(second, name) {" +
    ' if (second != last || count++ >= 500) { if (last != "") print ""; printf "touch -h -d @%s --", second; last = second; count = 0 }' +
    ' printf " %s", name }' +
    ' { name = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "", name); gsub(/\\047/, "\\047\\\\\\047\\047", name); name = "\\047" name "\\047" }' +
    " $4 ~ /^4/ { second[++directories] = $1; directory[directories] = name; next }" +
    " $6 !~ /\\.[0-9]*[1-9]/ { next }" +
    ' $2 > 1 && $3 in first { link[++links] = "ln -f -- " first[$3] " " name; next }' +
    " $2 > 1 { first[$3] = name }" +
    " { put($1, name) }" +
    ' END { if (last != "") print ""; last = ""; for (at = 1; at <= links; at++) print link[at];' +
    ' for (at = 1; at <= directories; at++) put(second[at], directory[at]); if (last != "") print "" }' +
    "' | sh 2>/dev/null",
  'find . -path "*$nl*" -exec sh -c \'for one do touch -h -d "@$(stat -c %Y -- "$one")" -- "$one"; done\' sh {} + 2>/dev/null',
  "exit 0",
].join("\n");

/** Whether it is that step which failed: its shell may not be there. */
export function isFloorFailure(error: unknown, mark: string): boolean {
  return error instanceof Error && "code" in error && String(error.cause).includes(mark);
}
