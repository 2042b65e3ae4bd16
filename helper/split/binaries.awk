# Executables that tell what they are made of, in sections of ELF. Only those are looked at that no package has and
# that are over 1 MB, and of each a few kilobytes: its head, the table of its sections, and the section.

function is_binary(at, part) {
    if (types[at] != "file" || sizes[at] < 1048576 || owners[at] != "" || (at in hollow_line)) return 0
    if (paths[at] ~ /\.so(\.[0-9.]+)?$/) return 0
    split(stats[at], part, " ")
    return octal_mode(part[3]) ~ /[1357][0-7]?[0-7]?$/
}

# Sets section_at and section_size, in bytes, of the first section of that name. Returns whether there is one.
function find_section(at, name, i, n, part) {
    if (!(at in sections)) sections[at] = read_sections(at)
    n = split(sections[at], part, " ")
    for (i = 1; i < n; i += 3) {
        if (part[i] != name) continue
        section_at = part[i + 1] + 0
        section_size = part[i + 2] + 0
        return section_size > 0
    }
    return 0
}

# A text of names, offsets and sizes; "" where it is no ELF file, or one without names.
function read_sections(at, wide, table, size, n, names, i, head, start, result) {
    if (read_bytes(at, 0, 64) < 52 || byte[1] != 127 || byte[2] != 69 || byte[3] != 76 || byte[4] != 70) return ""
    wide = byte[5] == 2
    big_endian = byte[6] == 2
    table = wide ? number_at(40, 8) : number_at(32, 4)
    size = number_at(wide ? 58 : 46, 2)
    n = number_at(wide ? 60 : 48, 2)
    names = number_at(wide ? 62 : 50, 2)
    if (!table || !n || n > 1000 || names >= n || size != (wide ? 64 : 40)) return ""
    if (read_bytes(at, table, n * size) < n * size) return ""
    for (i = 0; i < n; i++) {
        head = i * size
        name_at[i] = number_at(head, 4)
        start_at[i] = wide ? number_at(head + 24, 8) : number_at(head + 16, 4)
        bytes_of[i] = wide ? number_at(head + 32, 8) : number_at(head + 20, 4)
    }
    read_bytes(at, start_at[names], bytes_of[names] < 65536 ? bytes_of[names] : 65536)
    result = ""
    for (i = 1; i < n; i++) {
        start = text_at(name_at[i])
        if (start ~ /^[^ ]+$/) result = result sprintf("%s %.0f %.0f ", start, start_at[i], bytes_of[i])
    }
    return result
}

# Sets byte[1..n] from so many bytes of the file at an offset. Returns how many there are.
function read_bytes(at, offset, size, command, line, part, i, m, n) {
    command = sprintf("od -A n -v -t u1 -j %.0f -N %.0f %s 2>/dev/null", offset, size, shell_word("./" paths[at]))
    n = 0
    while ((command | getline line) > 0) {
        m = split(line, part, " ")
        for (i = 1; i <= m; i++) byte[++n] = part[i] + 0
    }
    close(command)
    bytes_read = n
    return n
}

# An unsigned integer of so many bytes; offsets count from 0.
function number_at(offset, size, i, value) {
    value = 0
    for (i = 1; i <= size; i++) value = 256 * value + byte[offset + (big_endian ? i : size + 1 - i)]
    return value
}

# The text up to a byte of zero, or of so many bytes where a size is given.
function text_at(offset, size, i, last, text) {
    last = size == "" || offset + size > bytes_read ? bytes_read : offset + size
    text = ""
    for (i = offset + 1; i <= last && (size != "" || byte[i]); i++) text = text sprintf("%c", byte[i])
    return text
}
