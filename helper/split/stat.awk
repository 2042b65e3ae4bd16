# Lines of what find tells of a path: <device:inode> <links> <type and mode> <uid> <gid> <size> <mtime> <ctime> ./<path>

mode == "now" {
    told_by_stat = $3 ~ /^x/
    fixed = ENVIRON["layer_fixed"]
    now = time_of_change()
    next
}

# Of "f644" (find) or "x81a4" (stat, raw in hexadecimal). A tree has few modes, and each is looked at once.
function type_of(text) {
    if (!(text in known_types)) known_types[text] = read_type(text)
    return known_types[text]
}

function read_type(text, first) {
    first = substr(text, 1, 1)
    if (first == "x") first = substr("?pc?d?b?f?l?s???", index("0123456789abcdef", substr(text, 2, 1)), 1)
    if (first == "d") return "directory"
    if (first == "f") return "file"
    if (first == "l") return "link"
    return first == "s" ? "socket" : "special"
}

# What a signature has of it; at is where the blank before the path stands.
function stat_of(type, at, colon) {
    # A directory's times and size tell of its entries, which have lines of their own.
    if (type == "directory") return $3 " " $4 " " $5
    # The device number of a container differs each time.
    colon = index($0, ":")
    return substr($0, colon + 1, at - colon - 1)
}

# Whether it changed so lately that the next change may leave the same time: the clock goes in ticks of up to 10 ms, and
# on some file systems in whole seconds, or does not go at all.
function is_unsure(type, changed, minute) {
    if (type == "directory") return 0
    if (fixed != "" && index(fixed, " " substr($1, 1, index($1, ":") - 1) " ")) return 1
    # What is told as text takes long to read, and most files of a tree changed in few minutes.
    minute = told_by_stat ? $10 substr($11, 1, 5) : ""
    if (minute != "" && minute == sure_minute) return 0
    changed = time_of_change()
    if (minute != "" && changed + 62 < now) sure_minute = minute
    return changed + (changed == int(changed) ? 2 : 0.02) >= now
}

# In seconds: find gives them, stat (which has hexadecimal modes) a date and a time of UTC.
function time_of_change(date, time) {
    if (!told_by_stat) return $8 + 0
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
