# pip: the packages of Python, whatever installed them.
# kind: found 60

# Whether there are any shows in the walk.
has_pip() {
    :
}

: <<'AWK'
END { if ("pip" in wanted) claim_pip() }

# <name>-<version>.dist-info/RECORD lists a path, a hash and a size a line, from its parent.
function claim_pip(at, folder, site, name, unit, line) {
    for (at = 1; at <= count; at++) {
        if (paths[at] !~ /\.dist-info\/RECORD$/ || owners[at] != "") continue
        folder = parent_of(paths[at])
        site = parent_of(folder)
        name = basename(folder, ".dist-info")
        unit = language_unit("pip", name)
        keys[unit] = name
        sub(/-[^-]*$/, "", keys[unit])
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
