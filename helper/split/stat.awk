# Lines of what find tells of a path: <device:inode> <links> <type and mode> <uid> <gid> <size> <mtime> <ctime> ./<path>

mode == "now" { now = time_of_change(); next }

# From find ("f644") or from stat, raw in hexadecimal ("x81a4").
function type_of(text, first) {
    first = substr(text, 1, 1)
    if (first == "x") first = substr("?pc?d?b?f?l?s???", index("0123456789abcdef", substr(text, 2, 1)), 1)
    if (first == "d") return "directory"
    if (first == "f") return "file"
    if (first == "l") return "link"
    return first == "s" ? "socket" : "special"
}

# What a signature has of it; at is where the blank before the path stands.
function stat_of(type, at) {
    # A directory's times and size tell of its entries, which have lines of their own.
    if (type == "directory") return $3 " " $4 " " $5
    # The device number of a container differs each time.
    return substr($0, length($1) + 2, at - length($1) - 2)
}

# Whether it changed so lately that the next change may leave the same time: the clock goes in ticks.
function is_unsure(type) {
    return type != "directory" && time_of_change() >= now
}

# A number, of find; of stat, in hexadecimal there, a text that compares like one.
function time_of_change() {
    return $3 ~ /^x/ ? $10 " " $11 : $8 + 0
}
