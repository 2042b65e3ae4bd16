# nix: the paths of the Nix store.
# kind: found 50

has_nix() {
    find_evidence nix/store
}

: <<'AWK'
END {
    read_store_names()
    if ("nix" in wanted) claim_nix()
}

# A store path tells its key in a way of its own.
function read_store_names(i, j, n, part) {
    for (i = 1; i <= previouses; i++) {
        n = split(previous[i], part, " ")
        for (j = 1; j <= n; j++)
            if (part[j] ~ /^\/nix\/store\//) key_of_name[part[j]] = nix_key(substr(part[j], 12))
    }
}

# A package is a path of the store, and its name.
function claim_nix(i, at, name, unit) {
    for (i = 1; i <= count_free(); i++) {
        at = free[i]
        if (paths[at] !~ /^nix\/(store\/.|var(\/|$))/) continue
        name = substr(paths[at], 11)
        sub(/\/.*$/, "", name)
        if (paths[at] ~ /^nix\/var/ || name ~ /^\./ || name ~ /\.(drv|lock|chroot|check)$/) {
            if (!("nix" in database)) {
                database["nix"] = new_unit("database", "nix-database")
            }
            unit = database["nix"]
        } else {
            if (!(name in store_unit)) {
                store_unit[name] = new_unit("nix", nix_key(name))
                full_names[units] = "/nix/store/" name
            }
            unit = store_unit[name]
        }
        claim_free(unit, paths[at])
    }
}

# Without hash and version.
function nix_key(name) {
    sub(/^[0-9a-z]*-/, "", name)
    sub(/-[0-9].*$/, "", name)
    return name
}
AWK
