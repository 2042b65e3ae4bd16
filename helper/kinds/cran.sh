# cran: the packages in libraries of R, whatever installed them.
# kind: found 90

has_cran() {
    look_in_walk '<library>/<package>/DESCRIPTION'
}

: <<'AWK'
END { if ("cran" in wanted) claim_cran() }

# One that is installed has Meta/package.rds, too; its source has not.
function claim_cran(i, n, at, folder, version, found) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] !~ /[^\/]\/DESCRIPTION$/ || !is_document(at, 256)) continue
        folder = parent_of(paths[at])
        if (!number_of(folder "/Meta/package.rds")) continue
        version = described_version("./" paths[at])
        if (version != "")
            found += mark_tree(cran_trees, language_unit("cran", basename(folder), version, paths[at]), folder)
    }
    if (found) claim_trees(cran_trees)
}

function described_version(file, line, version) {
    while (version == "" && (getline line < file) > 0)
        if (line ~ /^Version:/) {
            version = substr(line, 9)
            gsub(/[ \t\r]/, "", version)
        }
    close(file)
    return version
}
AWK
