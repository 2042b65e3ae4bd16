# Paths that earlier calls of the helper have put into layers.

mode == "taken" {
    path = taken_path()
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
