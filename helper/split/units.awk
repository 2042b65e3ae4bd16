# Units, and the paths that they claim.

function new_unit(kind, key) {
    kinds[++units] = kind
    keys[units] = key
    return units
}

# The unit gets an entry for the path, if there is such a path.
function claim(unit, path, at) {
    at = number_of(path)
    if (!at || !unit || latest[at] == unit || (at in hollow_line) && unit != other) return
    latest[at] = unit
    owners[at] = owners[at] " " unit
}

# A directory that only leads to what packages own comes with them.
function mark_ways(at, up) {
    for (at = 1; at <= count; at++) {
        if (owners[at] == "") continue
        for (up = above[at]; up && !way[up]; up = above[up]) way[up] = 1
    }
}

function is_free(at) {
    return owners[at] == "" && !(at in left_out) && !(way[at] && types[at] == "directory")
}
