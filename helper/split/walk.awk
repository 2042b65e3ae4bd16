# Who owns what: reads the names of the previous image, then what find tells of the root.
#
# A unit is a package, or one of the two that every kind has: the package database and what no
# package owns. A path may belong to several units: each gets an entry for it, so that the
# layer of a unit depends on nothing but the unit itself. Paths have no leading slash.

BEGIN {
    work = ENVIRON["layer_work"]
    mounts = split(ENVIRON["layer_emptied"], part, "\n")
    for (i = 1; i <= mounts; i++) hollow[substr(part[i], 3)] = 1
    room = ENVIRON["layer_room"] + 0
    quote = "\047"
    read_kinds()
}

# Which kinds are split, and where each stands: rank_of tells what the numbers mean.
function read_kinds(i, n, part) {
    n = split(ENVIRON["layer_kinds"], part, " ")
    for (i = 1; i <= n; i++) wanted[part[i]] = 1
    listed_kinds = split(ENVIRON["layer_listed_kinds"], listed_kind, " ")
    n = split(ENVIRON["layer_found_kinds"], part, " ")
    for (i = 1; i <= n; i++) rank_of_kind[part[i]] = 40 + i
    rank_of_kind["component"] = 62
    rank_of_kind["map"] = 64
    rank_of_kind["file"] = 66
    rank_of_kind["cache"] = 70
    rank_of_kind["database"] = 80
    rank_of_kind["other"] = 90
}

mode == "names" {
    split($0, part, "\t")
    previous[++previouses] = substr($0, length(part[1] part[2] part[3]) + 4)
    next
}

# One file system object.
mode == "walk" {
    at = index($0, " ./")
    if (!at || (type = type_of($3)) == "socket") next
    path = substr($0, at + 3)
    paths[++count] = path
    number[path] = count
    # The list is sorted, so what is above has its number.
    above[count] = number_of(parent_of(path))
    types[count] = type
    if (path in hollow) {
        stats[count] = "mount point"
        hollow_line[count] = octal_mode($3) " " $4 " " $5 " ./" path "/"
    } else {
        stats[count] = stat_of(type, at)
        if (is_unsure(type)) unsure[count] = 1
        if (type == "file") sizes[count] = $6
        if ($2 > 1 && type != "directory") {
            linked[$1] = linked[$1] " " count
            file_of[count] = $1
        }
    }
    if (path ~ /(^|\/)\.wh\./)
        refuse("the name /" path " means a removed file in an image, remove it before split")
    next
}

END { if (refused) exit }

function refuse(reason) {
    gsub(/[\001-\037\177]/, "?", reason)
    if (!refused) print reason > (work "/refused")
    refused = 1
    exit
}

function octal_mode(text, i, value, digits) {
    if (text !~ /^x/) return substr(text, 2)
    for (i = 3; i <= length(text); i++) value = value * 16 + index("123456789abcdef", substr(text, i, 1))
    for (i = 1; i <= 4; i++) { digits = value % 8 digits; value = int(value / 8) }
    return digits
}
