# What is in no package; then the layers.
END {
    claim_caches()
    claim_components()
    claim_mapped()
    drop_taken()
    claim_large()
    claim_other()
    join_hard_links()
    leave_to_base()
    divide_units()
    order_units()
    group_units()
    write_layers()
}

# What Python compiled of the files of packages. No package lists it, and it is no part of a layer
# of one, because it comes out otherwise each time; but with the rest it would be sent too often.
function claim_caches(at, source, cache) {
    for (at = 1; at <= count; at++) {
        if (owners[at] != "" || paths[at] !~ /\/__pycache__\/[^\/]*\.pyc$/) continue
        source = basename(paths[at])
        sub(/\.[^.]*(\.opt-[0-9])?\.pyc$/, ".py", source)
        source = number_of(parent_of(parent_of(paths[at])) "/" source)
        if (!source || owners[source] == "") continue
        if (!cache) cache = new_unit("cache", "python-cache")
        claim(cache, paths[at])
    }
}

# What belongs to nobody.
function claim_other(at) {
    other = new_unit("other", "other")
    mark_ways()
    for (at = 1; at <= count; at++) if (is_free(at)) claim(other, paths[at])
}

# All names of one file belong to one layer, or they would come out as copies: that of the first
# package that has one of them.
function join_hard_links(file, group, n, i, differ, best, found, who, m, j) {
    for (file in linked) {
        n = split(linked[file], group, " ")
        differ = best = 0
        for (i = 1; i <= n; i++) {
            if (owners[group[i]] != owners[group[1]]) differ = 1
            m = split(owners[group[i]], who, " ")
            for (j = 1; j <= m; j++) if (!best || comes_before(who[j] + 0, best)) best = who[j] + 0
        }
        if (differ) for (i = 1; i <= n; i++) owners[group[i]] = " " best
    }
}

# What the user says, then packages, then what is none; then as they were found.
function comes_before(one, two) {
    if (precedence_of(one) != precedence_of(two)) return precedence_of(one) < precedence_of(two)
    return one < two
}

function precedence_of(unit) {
    if (kinds[unit] == "map") return 1
    if (kinds[unit] == "component") return 2
    return rank_of(unit) < 70 ? 3 : 4
}
