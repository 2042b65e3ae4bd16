# pacman: the packages of Arch Linux and its kin.
# kind: listed 40

has_pacman() {
    find_evidence var/lib/pacman/local
}

files_pacman() {
    files='mode=pacman-desc ./var/lib/pacman/local/*/desc mode=pacman-files ./var/lib/pacman/local/*/files'
}

: <<'AWK'
# A line %FIELD%, its values, an empty line.
mode ~ /^pacman-/ && FNR == 1 {
    folder = FILENAME
    sub(/\/[^\/]*$/, "", folder)
    folder = substr(folder, 3)
    if (mode == "pacman-desc") folder_unit[folder] = new_unit("pacman", folder)
    unit = folder_unit[folder]
}
mode ~ /^pacman-/ && /^%.*%$/ {
    field = $0
    next
}
mode ~ /^pacman-/ && $0 != "" {
    if (field == "%NAME%") keys[unit] = sources[unit] = $0
    if (field == "%VERSION%") versions[unit] = $0
    if (field == "%BASE%") sources[unit] = $0
    if (field == "%FILES%" && unit) {
        sub(/\/$/, "")
        claim(unit, resolve($0))
    }
    next
}

END { if ("pacman" in wanted) claim_pacman() }

# A package's folder in the database goes to it; the rest changes with each package that does.
function claim_pacman(at) {
    for (at = 1; at <= count; at++) {
        if (paths[at] !~ /^var\/lib\/pacman(\/|$)/) continue
        keep("pacman", at)
        if (match(paths[at], /^var\/lib\/pacman\/local\/[^\/]+/))
            claim(folder_unit[substr(paths[at], 1, RLENGTH)], paths[at])
    }
}
AWK
