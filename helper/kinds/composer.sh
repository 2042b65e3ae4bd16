# composer: the packages of PHP, as Composer installs them.
# kind: found 78

has_composer() {
    look_in_walk 'vendor/composer/installed.json'
}

: <<'AWK'
END { if ("composer" in wanted) claim_composer() }

function claim_composer(i, n, at, found) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] ~ /(^|\/)composer\/installed\.json$/ && is_document(at, 8192)) found += read_installed(paths[at])
    }
    if (found) claim_trees(composer_trees)
}

# {"packages": [{"name", "version", "install-path"}]} since Composer 2, and the list alone before.
function read_installed(path, i, n, m, part, at, packages, names_in, versions_in, paths_in, found) {
    n = read_json("./" path, 3, "packages")
    for (i = 1; i <= n; i++) {
        m = split(json_place[i], part, SUBSEP)
        if (m == 3 && part[1] != "packages" || m == 1) continue
        at = part[m - 1]
        if (at > packages) packages = at + 0
        if (part[m] == "name") names_in[at] = json_value[i]
        else if (part[m] == "version") versions_in[at] = json_value[i]
        else if (part[m] == "install-path") paths_in[at] = json_value[i]
    }
    for (i = 1; i <= packages; i++) found += mark_composer(path, names_in[i], versions_in[i], paths_in[i])
    return found
}

function mark_composer(path, name, version, place, folder, unit) {
    folder = parent_of(path)
    if (name == "") return 0
    folder = normalize(place == "" ? parent_of(folder) "/" name : folder "/" place)
    if (!number_of(folder)) return 0
    sub(/^v/, "", version)
    unit = language_unit("composer", name, version, path)
    # Of a path repository it is a link.
    if (types[number_of(folder)] != "directory") claim_unowned(unit, folder)
    return mark_tree(composer_trees, unit, folder)
}
AWK
