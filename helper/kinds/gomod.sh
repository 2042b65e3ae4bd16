# gomod: Go's binaries, which tell the module that they were built from.
# kind: found 94

has_gomod() {
    look_in_walk 'executables over 1 MB with a section .go.buildinfo'
}

: <<'AWK'
END { if ("gomod" in wanted) claim_gomod() }

function claim_gomod(i, n, at) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (is_binary(at) && find_section(at, ".go.buildinfo")) read_build(at)
    }
}

# Since Go 1.18: 32 bytes, of which the 16th says by 2 that texts follow, each after its length: the version of Go, then
# the lines of the build between marks of 16 bytes: "path", the main package, and "mod", its module and version.
function read_build(at, size, lines, n, i, part, name, version) {
    n = read_bytes(at, section_at, section_size < 4096 ? section_size : 4096)
    if (n < 64 || text_at(1, 13) != " Go buildinf:" || int(byte[16] / 2) % 2 == 0) return
    size = length_at(32)
    size = length_at(length_end + size)
    if (size < 33) return
    n = split(text_at(length_end + 16, size - 32), lines, "\n")
    for (i = 1; i <= n; i++) {
        split(lines[i], part, "\t")
        if (part[1] == "path") name = part[2]
        if (part[1] == "mod") {
            version = part[3]
            break
        }
    }
    # Go's own programs have no module. One that is built from files has no package, and no version that changes.
    if (i > n) return
    if (name == "" || name == "command-line-arguments") name = part[2]
    sub(/^v/, "", version)
    claim_unowned(language_unit("gomod", name, version == "(devel)" ? "" : version, paths[at]), paths[at])
}

# A number in pieces of 7 bits, the lowest first; sets length_end to what follows it.
function length_at(offset, value, factor) {
    factor = 1
    do {
        value += byte[offset + 1] % 128 * factor
        factor *= 128
    } while (byte[++offset] >= 128 && factor < 2097152)
    length_end = offset
    return value
}
AWK
