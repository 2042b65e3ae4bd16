# conda: the packages of conda and mamba environments, Python's and all others.
# kind: found 55

has_conda() {
    look_in_walk 'conda-meta/*.json'
}

: <<'AWK'
END { if ("conda" in wanted) claim_conda() }

# <environment>/conda-meta/<name>-<version>-<build>.json has "files", from the environment. Neither version nor build
# has a "-".
function claim_conda(i, n, at, j, m, place, prefix, package, unit, marked) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] !~ /(^|\/)conda-meta\/[^\/]+-[^\/-]+-[^\/-]+\.json$/) continue
        if (!is_document(at, 8192)) continue
        package = basename(paths[at], ".json")
        prefix = parent_of(parent_of(paths[at]))
        unit = conda_unit(package, paths[at])
        m = read_json("./" paths[at], 2, "files")
        for (j = 1; j <= m; j++) {
            if (split(json_place[j], place, SUBSEP) == 2 && place[1] == "files")
                claim_free(unit, resolve(join(prefix, json_value[j])))
        }
        claim_free(unit, paths[at])
        # What was unpacked to be linked from, if that is left.
        marked += mark_tree(conda_trees, unit, join(prefix, "pkgs/" package))
    }
    if (marked) claim_trees(conda_trees)
}

function conda_unit(package, path, key) {
    key = package
    sub(/-[^-]*-[^-]*$/, "", key)
    return language_unit("conda", key, substr(package, length(key) + 2), path)
}
AWK
