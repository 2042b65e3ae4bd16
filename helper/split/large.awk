# Large files that belong to nobody: each is a unit, which the plan may join with others.

# More of them in one tree are taken together by directory: a name has all that share a layer.
function claim_large(at, i, n, large) {
    n = 0
    for (at = 1; at <= count; at++) {
        if (owners[at] != "" || types[at] != "file" || sizes[at] <= 1000000 || (at in left_out)) continue
        # The other names of a file come with the first.
        if (is_volatile(paths[at]) || at != first_name(at)) continue
        large[++n] = at
        note_trees(at)
    }
    for (i = 1; i <= n; i++) {
        claim(unit_of_kind("file", "/" large_place(large[i])), paths[large[i]])
    }
}

# What changes while a system runs.
function is_volatile(path) {
    return path ~ /^(tmp|run|var\/(cache|log|tmp|run|lib\/apt\/lists))\//
}

# Counts in each directory above the large files, the directories that hold some, and the names in it that lead to some.
function note_trees(at, holder, up, below) {
    holder = above[at]
    for (below = at; (up = above[below]) != 0; below = up) {
        large_below[up]++
        if (!((up, "holds", holder) in tree_has)) holders_below[up]++
        if (!((up, "leads", below) in tree_has)) leads_below[up]++
        tree_has[up, "holds", holder] = tree_has[up, "leads", below] = 1
    }
}

# The path that a large file's unit is called after, with a slash behind it where that is a directory.
function large_place(at, up, lead, tree, under) {
    for (lead = at; (up = above[lead]) != 0; lead = up) if (large_below[up] > 500) {
        tree = up
        under = lead
    }
    if (!tree) return paths[at]
    if (holders_below[tree] <= 500) return paths[above[at]] "/"
    return (leads_below[tree] <= 500 && under != at ? paths[under] : paths[tree]) "/"
}

# Of the names of one file the first in the order of the paths.
function first_name(at) {
    return at in file_of ? linked[file_of[at]] + 0 : at
}
