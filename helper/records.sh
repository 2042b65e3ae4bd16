# PAX records before an entry, for what a tar cannot write itself.

# Sets records: 512 bytes that say owner and time. POSIX.1-2017, pax, "pax Extended Header".
set_records() {
    records=
    add_record "uid=$uid"
    add_record "gid=$gid"
    add_record "mtime=$time"
    left=$((512 - ${#records}))
    # A comment fills the block, which makes its header always the same.
    records=$records$(printf '%s comment=%*s.' "$left" "$((left - 13))" '')
    records=${records%.}$newline
}

# "<length> <record>" and a line break; the length counts itself.
add_record() {
    length=$((${#1} + 3))
    [ "$length" -lt 10 ] || length=$((length + 1))
    records="$records$length $1$newline"
}

# Writes a part of these names of one file, with $records before it.
stream_recorded() {
    printf '././@PaxHeader'
    write_zeros 86
    printf '0000644\0000000000\0000000000\00000000001000\00000000000000\000010222\000 x'
    write_zeros 100
    printf 'ustar\00000'
    write_zeros 247
    printf '%s' "$records"
    case $tar_kind in
    # What it writes of a time before 1970 no tar can read.
    toybox) set -- --mtime @0 "$@" ;;
    esac
    stream_part "$@"
}

write_zeros() {
    zeros=$1
    while [ "$zeros" -gt 0 ]; do
        printf '\000'
        zeros=$((zeros - 1))
    done
}
