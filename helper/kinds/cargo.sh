# cargo: Rust's binaries that tell what they were built from, as cargo-auditable makes them.
# kind: found 98

has_cargo() {
    look_in_walk 'executables over 1 MB with a section .dep-v0'
}

: <<'AWK'
END { if ("cargo" in wanted) claim_cargo() }

function claim_cargo(i, n, at) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (is_binary(at) && find_section(at, ".dep-v0")) read_crates(at)
    }
}

# {"packages": [{"name", "version", "root": true}]}, of which the root is the program.
function read_crates(at, i, n, m, part, crate, crates, versions_in) {
    inflate_section(at, work "/crates")
    n = read_json(work "/crates", 3, "packages")
    for (i = 1; i <= n; i++) {
        m = split(json_place[i], part, SUBSEP)
        if (m != 3) continue
        if (part[3] == "name") crates[part[2]] = json_value[i]
        if (part[3] == "version") versions_in[part[2]] = json_value[i]
        if (part[3] == "root" && json_value[i] == "true") crate = part[2]
    }
    if (crates[crate] != "")
        claim_unowned(language_unit("cargo", crates[crate], versions_in[crate], paths[at]), paths[at])
}

# The section is a stream of zlib. With the head of a gzip file in place of its own, gzip writes what is in it, and
# complains of the end.
function inflate_section(at, file, command) {
    command = "{ printf " quote "\\037\\213\\010\\000\\000\\000\\000\\000\\000\\003" quote
    command = command sprintf("; tail -c +%.0f", section_at + 3) " <" shell_word("./" paths[at])
    command = command sprintf(" | head -c %.0f; }", section_size - 6) " | gzip -dc 2>/dev/null | head -c 8000000 >" shell_word(file)
    system(command)
}
AWK
