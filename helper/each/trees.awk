# What is known of the paths of each. A program of its own.

# Its first line says how the owners of files were seen.
mode == "old" && FNR == 1 {
    is_alike = ($0 == "view" ENVIRON["layer_view"])
    next
}
mode == "old" {
    if (is_alike) signed[$1, substr($0, length($1 $2) + 3)] = $2
    next
}
mode == "trees" {
    mark_of[$1] = $2
    next
}
# proc_pid_mountinfo(5). What is mounted over others hides them; an idmapped one shows other owners than its files have.
mode == "mounts" {
    if (index($5, "\\") || $6 ~ /,idmapped(,|$)/) unclear = 1
    if ($5 != "/") for (point in options) if (index(point, $5 "/") == 1) delete options[point]
    options[$5] = $6
    next
}
mode == "places" {
    place[FNR] = $0
    next
}
# What stat says of a path itself.
mode == "tops" {
    at = index($0, " ./")
    identity[substr($0, at + 1)] = $1
    next
}
mode == "paths" {
    is_whole[FNR] = /^all /
    next
}
mode == "shown" {
    mark = signature = "-"
    if (is_whole[FNR] && is_read_only(place[FNR]) && ($0 in identity) && (identity[$0] in mark_of)) {
        mark = mark_of[identity[$0]]
        if ((mark, $0) in signed) signature = signed[mark, $0]
    }
    print mark, signature, $0
}

# Whether a directory, the path of which has no links, is of a mount that is.
function is_read_only(path) {
    if (unclear || path == "") return 0
    while (!(path in options)) {
        if (path == "/") return 0
        sub(/\/[^\/]*$/, "", path)
        if (path == "") path = "/"
    }
    return options[path] ~ /^ro(,|$)/
}
