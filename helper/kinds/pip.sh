# pip: the packages of Python, whatever installed them.
# kind: found 60

has_pip() {
    look_in_walk '*.dist-info/RECORD'
}

: <<'AWK'
END { if ("pip" in wanted) claim_pip() }

# <name>-<version>.dist-info/RECORD lists a path, a hash and a size a line, from its parent.
function claim_pip(i, n, at, folder, site, name, key, unit, line) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] !~ /\.dist-info\/RECORD$/ || !is_document(at, 32768)) continue
        folder = parent_of(paths[at])
        site = parent_of(folder)
        name = basename(folder, ".dist-info")
        key = name
        sub(/-[^-]*$/, "", key)
        unit = language_unit("pip", key, substr(name, length(key) + 2), paths[at])
        while ((getline line < ("./" paths[at])) > 0) {
            sub(/\r$/, "", line)
            if (line ~ /^"/) {
                sub(/^"/, "", line)
                if (!match(line, /",[^"]*$/)) continue
                line = substr(line, 1, RSTART - 1)
                gsub(/""/, "\"", line)
            }
            else sub(/,[^,]*,[^,]*$/, "", line)
            claim_free(unit, resolve(normalize(line ~ /^\// ? line : site "/" line)))
        }
        close("./" paths[at])
        claim_free(unit, folder)
    }
}
AWK
