# Lines of what find tells of a path: <device:inode> <links> <type and mode> <uid> <gid> <size> <mtime> <ctime> ./<path>

mode == "now" { now = time_of_change(); next }

# From find ("f644") or from stat, raw in hexadecimal ("x81a4").
function type_of(text, first) {
    first = substr(text, 1, 1)
    if (first == "x") first = substr("?pc?d?b?f?l?s???", index("0123456789abcdef", substr(text, 2, 1)), 1)
    if (first == "d") return "directory"
    if (first == "f") return "file"
    if (first == "l") return "link"
    return first == "s" ? "socket" : "special"
}

# What a signature has of it; at is where the blank before the path stands.
function stat_of(type, at) {
    # A directory's times and size tell of its entries, which have lines of their own.
    if (type == "directory") return $3 " " $4 " " $5
    # The device number of a container differs each time.
    return substr($1, index($1, ":") + 1) substr($0, length($1) + 1, at - length($1) - 1)
}

# Whether it changed so lately that the next change may leave the same time: the clock goes in ticks of up to 10 ms, and
# on some file systems in whole seconds.
function is_unsure(type, changed) {
    if (type == "directory") return 0
    changed = time_of_change()
    return changed + (changed == int(changed) ? 2 : 0.02) >= now
}

# In seconds: find gives them, stat (which has hexadecimal modes) a date and a time of UTC.
function time_of_change(date, time) {
    if ($3 !~ /^x/) return $8 + 0
    split($10, date, "-")
    split($11, time, ":")
    return day_of(date[1] + 0, date[2] + 0, date[3] + 0) * 86400 + time[1] * 3600 + time[2] * 60 + time[3]
}

# The number of a day of the Gregorian calendar, whose years begin with March here.
function day_of(year, month, day) {
    if (month < 3) {
        year--
        month += 12
    }
    return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + day
}
