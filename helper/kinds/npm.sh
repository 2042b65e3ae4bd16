# npm: the packages of Node.js, whatever installed them.
# kind: found 70

has_npm() {
    look_in_walk 'node_modules/**/package.json'
}

: <<'AWK'
END { if ("npm" in wanted) claim_npm() }

# node_modules/<name>/ or node_modules/@<scope>/<name>/, also in another package. What is
# below belongs to the innermost.
function claim_npm(i, n, at, folder, name, version, unit, found) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] !~ /(^|\/)node_modules\/(@[^\/]+\/)?[^\/@.][^\/]*\/package\.json$/) continue
        if (!is_document(at, 256)) continue
        folder = parent_of(paths[at])
        version = json_field("./" paths[at], "version")
        if (version == "") continue
        name = folder
        sub(/^(.*\/)?node_modules\//, "", name)
        unit = language_unit("npm", name, version, paths[at])
        found += mark_tree(npm_trees, unit, folder)
        mark_pnpm(unit, folder, name)
    }
    if (found) claim_trees(npm_trees)
}

# pnpm has each package in .pnpm/<name>@<version>/node_modules/<name>, beside links to what it depends on.
function mark_pnpm(unit, folder, name) {
    folder = substr(folder, 1, length(folder) - length(name) - 14)
    if (folder ~ /(^|\/)\.pnpm\/[^\/]+$/) mark_tree(npm_trees, unit, folder)
}
AWK
