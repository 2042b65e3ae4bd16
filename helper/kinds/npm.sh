# npm: the packages of Node.js, whatever installed them.
# kind: found 70

# Whether there are any shows in the walk.
has_npm() {
    :
}

: <<'AWK'
END { if ("npm" in wanted) claim_npm() }

# node_modules/<name>/ or node_modules/@<scope>/<name>/, also in another package. What is
# below belongs to the innermost.
function claim_npm(at, folder, name, version, place) {
    for (at = 1; at <= count; at++) {
        if (paths[at] !~ /(^|\/)node_modules\/(@[^\/]+\/)?[^\/@.][^\/]*\/package\.json$/) continue
        if (owners[at] != "") continue
        folder = parent_of(paths[at])
        version = json_field("./" paths[at], "version")
        if (version == "") continue
        name = folder
        sub(/^(.*\/)?node_modules\//, "", name)
        npm_unit[folder] = language_unit("npm", name "-" version)
        keys[npm_unit[folder]] = name
    }
    for (at = 1; at <= count; at++) {
        if (paths[at] !~ /(^|\/)node_modules\/./) continue
        place = types[at] == "directory" ? paths[at] : parent_of(paths[at])
        if (!(place in npm_unit)) npm_unit[place] = npm_unit_above(parent_of(place))
        if (npm_unit[place]) claim_free(npm_unit[place], paths[at])
    }
}

# A folder node_modules is no part of the package that it is in: others are in it.
function npm_unit_above(folder) {
    for (; folder != ""; folder = parent_of(folder)) {
        if (folder in npm_unit) return npm_unit[folder]
    }
    return 0
}
AWK
