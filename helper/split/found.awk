# What the kinds of packages that are found in the walk need.

# What no listed package has.
function claim_free(unit, path, at, first) {
    at = number_of(path)
    if (at && owners[at] != "") {
        split(owners[at], first, " ")
        if (first[1] <= system_units) return
    }
    claim(unit, path)
}

# What nobody has yet, so that no kind takes a part of what another one has found.
function claim_unowned(unit, path, at) {
    at = number_of(path)
    if (at && owners[at] == "") claim(unit, path)
}

# Sets free, the numbers of the paths that no listed package has, once; in most roots with listed packages these
# are few, so a kind that looks at them alone costs next to nothing there. Returns how many.
function count_free(at) {
    if (!free_listed++)
        for (at = 1; at <= count; at++) if (owners[at] == "") free[++frees] = at
    return frees
}

# Whether it is a file that nobody has and that may be read: no link, which may lead anywhere, no pipe, and of so many
# KiB at most.
function is_document(at, most) {
    return types[at] == "file" && sizes[at] <= most * 1024 && owners[at] == ""
}

# One unit for the copies of a package, as npm and virtual environments have them. The path is where it was
# found; the version may be "".
function language_unit(kind, key, version, path, name) {
    if (!(kind in evidence)) evidence[kind] = path
    name = version == "" ? key : key "-" version
    gsub(/ /, "%20", name)
    if (!((kind, name) in known)) {
        known[kind, name] = new_unit(kind, key)
        full_names[units] = name
    }
    return known[kind, name]
}

# The directory and all that is below it shall be the unit's. Where such directories stand in one another, what is
# below belongs to the innermost. claim_trees carries it out.
function mark_tree(trees, unit, path, at) {
    at = number_of(path)
    if (at) trees[at] = unit
    return at
}

function claim_trees(trees, i, at, place, up) {
    for (i = count_free(); i; i--) {
        at = free[i]
        place = types[at] == "directory" ? at : above[at]
        if (!(place in trees)) {
            for (up = above[place]; up && !(up in trees); up = above[up]) continue
            trees[place] = up ? trees[up] : 0
        }
        if (trees[place] && owners[at] == "") claim(trees[place], paths[at])
    }
}
