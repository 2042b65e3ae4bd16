# Paths that earlier calls of the helper have put into layers.
#
# A line "layer" tells how the paths behind it are written; each has a blank before it.

mode == "taken" && /^layer\t/ {
    split($0, part, "\t")
    escaped_paths = part[2] == "escaped"
    taken_layers++
    next
}
mode == "taken" {
    path = substr($0, 2)
    if (escaped_paths) path = unescape(path)
    sub(/^\/+/, "", path)
    while (path ~ /^\.\//) sub(/^\.\/+/, "", path)
    at = number_of(path)
    if (at && types[at] != "directory") taken[at] = taken[at] " " taken_layers " "
    next
}

# They belong to nobody here. Directories stay: of what is above such a path no layer may tell.
function drop_taken(at, any) {
    for (at in taken) {
        if (!is_taken(at)) continue
        owners[at] = ""
        left_out[at] = any = 1
    }
    if (any) split("", way)
}

# The names of one file stay together: they are taken where one layer has all of them.
function is_taken(at, n, i, j, names, layer, m) {
    if (!(at in file_of)) return 1
    m = split(taken[at], layer, " ")
    n = split(linked[file_of[at]], names, " ")
    for (i = 1; i <= m; i++) {
        for (j = 1; j <= n; j++) if (!(names[j] in taken) || !index(taken[names[j]], " " layer[i] " ")) break
        if (j > n) return 1
    }
    return 0
}
