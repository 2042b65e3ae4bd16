# gem: the packages of Ruby, as RubyGems and Bundler install them.
# kind: found 74

has_gem() {
    look_in_walk 'specifications/*.gemspec'
}

: <<'AWK'
END { if ("gem" in wanted) claim_gem() }

# A home of gems has specifications/<full name>.gemspec, and of each gem directories and files with that name.
function claim_gem(i, n, at, home, full, unit, found) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] !~ /(^|\/)specifications\/[^\/]+\.gemspec$/ || !is_document(at, 1024)) continue
        home = parent_of(parent_of(paths[at]))
        full = basename(paths[at], ".gemspec")
        unit = gem_unit(full, paths[at])
        gem_of[home, full] = unit
        claim_unowned(unit, paths[at])
        claim_unowned(unit, join(home, "cache/" full ".gem"))
        claim_unowned(unit, join(home, "build_info/" full ".info"))
        mark_tree(gem_trees, unit, join(home, "gems/" full))
        mark_tree(gem_trees, unit, join(home, "doc/" full))
        found++
    }
    if (!found) return
    mark_extensions(n)
    claim_trees(gem_trees)
}

# extensions/<platform>/<version of Ruby>/<full name>
function mark_extensions(n, i, at, home) {
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (types[at] != "directory" || !match(paths[at], /(^|\/)extensions\/[^\/]+\/[^\/]+\/[^\/]+$/)) continue
        home = substr(paths[at], 1, RSTART - 1)
        if ((home, basename(paths[at])) in gem_of) mark_tree(gem_trees, gem_of[home, basename(paths[at])], paths[at])
    }
}

# The first lines tell the name: "# stub: nokogiri 1.15.4 x86_64-linux lib".
function gem_unit(full, path, line, part, key, left) {
    key = full
    sub(/-[0-9].*$/, "", key)
    for (left = 3; left && (getline line < ("./" path)) > 0; left--) {
        if (line !~ /^# stub: /) continue
        split(line, part, " ")
        if (index(full, part[3] "-") == 1) key = part[3]
    }
    close("./" path)
    return language_unit("gem", key, substr(full, length(key) + 2), path)
}
AWK
