# The files of the databases: each is read once, by whatever paths it is reached.

BEGIN {
    for (i = 1; i < ARGC; i++) {
        if (ARGV[i] ~ /^mode=/) asked_mode = substr(ARGV[i], 6)
        else asked[asked_mode, ARGV[i]] = 1
    }
}

mode != "names" && mode != "walk" && FNR == 1 { skipped = FILENAME ~ /^\.\// && is_again(FILENAME) }
skipped { next }

# Two paths lead to one file through links, as lib/apk/db where lib is usr/lib, or as hard links. The path
# without links is the one that tells more: a name in it may be a package's.
function is_again(file, path, at) {
    path = real_path(substr(file, 3))
    if ("./" path != file && ((mode, "./" path) in asked)) return 1
    at = number_of(path)
    return read_before[mode, at in file_of ? file_of[at] : path]++
}

function real_path(path, left, target) {
    path = resolve(path)
    for (left = 40; left && (path in number) && types[number[path]] == "link"; left--) {
        target = read_link(path)
        path = resolve(normalize(target ~ /^\// ? target : parent_of(path) "/" target))
    }
    return path
}
