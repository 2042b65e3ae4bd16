# What of the root stands in the base so, as far as stat tells. A program of its own, with stat.awk.
#
# The base is one view or several, of which a later one lies above: a path stands there where each view that has it
# says of it what the root says. What is left to compare by reading is listed for each view, in
# $layer_work/<view>.files, .links, .devices and .attributes, names as find has them.

BEGIN {
    work = ENVIRON["layer_work"]
    views = ENVIRON["layer_views"] + 0
    parts = split(ENVIRON["layer_emptied"], part, "\n")
    for (i = 1; i <= parts; i++) hollow[substr(part[i], 3)] = 1
    alike = ENVIRON["layer_alike"]
}

mode == "view" || mode == "root" {
    at = index($0, " ./")
    if (!at || (type = type_of($3)) == "socket") next
    path = substr($0, at + 3)
    view = mode == "root" ? 0 : number_of_view
    types[view, path] = type
    facts[view, path] = $3 " " $4 " " $5
    if (type == "file" || type == "link") facts[view, path] = facts[view, path] " " $6
    if (type != "directory") {
        stamps[view, path] = stamp_of(at)
        if ($2 > 1) {
            inodes[view, path] = $1
            if (!view) sizes[$1]++
        }
    }
    if (!view) here[++heres] = path
    else if (!known[path]++) there[++theres] = path
    next
}

# What a layer of this build has is not gone, nor are the directories that lead there.
mode == "taken" {
    for (path = taken_path(); path != "" && path != "."; path = up_of(path)) {
        if (!((0, path) in types)) types[0, path] = is_way ? "directory" : "file"
        is_way = 1
    }
    is_way = 0
    next
}

END {
    count_groups()
    for (i = 1; i <= heres; i++) compare_path(here[i])
    for (i = 1; i <= theres; i++) if (is_gone(there[i])) print there[i] > (work "/gone")
}

# What two names of one inode have in common, on whatever mount they are seen: device, then inode, times of change.
# Nothing where the times are no clock's.
function stamp_of(at, colon, changed) {
    changed = told_by_stat ? $11 : $8
    colon = index($1, ":")
    if (changed !~ /\.[0-9]*[1-9]/ || index(fixed, " " substr($1, 1, colon - 1) " ")) return ""
    return substr($0, 1, at - 1)
}

# All names of one file stay together, so its names of the root must be its names in the base, but for those that are gone.
function count_groups(i, view, path, group, other) {
    for (i = 1; i <= heres; i++) for (view = 1; view <= views; view++)
        if ((view, here[i]) in inodes && types[0, here[i]] != "directory") counts[view, inodes[view, here[i]]]++
    for (i = 1; i <= heres; i++) {
        path = here[i]
        if (types[0, path] == "directory") continue
        group = (0, path) in inodes ? inodes[0, path] : ""
        for (view = 1; view <= views; view++) {
            if (!((view, path) in types)) continue
            other = (view, path) in inodes ? inodes[view, path] : ""
            if ((group == "" ? 1 : sizes[group]) != (other == "" ? 1 : counts[view, other])) parted[group == "" ? path : group] = 1
            if (group == "") continue
            if ((view, group) in partner && partner[view, group] != other) parted[group] = 1
            partner[view, group] = other
        }
    }
}

function compare_path(path, view, seen, group) {
    group = (0, path) in inodes ? inodes[0, path] : path
    if (!(path in known) || (group in parted) || !is_solid(up_of(path))) return
    for (view = 1; view <= views; view++) {
        if (!((view, path) in types)) continue
        if (path in hollow) {
            if (types[view, path] != "directory") return
        } else if (facts[view, path] != facts[0, path]) return
    }
    print "./" path > (work "/equal")
    if (path in hollow) return
    for (view = 1; view <= views; view++) if ((view, path) in types) ask(view, path)
}

# What stat does not tell.
function ask(view, path, type, letter) {
    type = types[0, path]
    if (type != "directory" && is_same_inode(view, path)) return
    letter = substr(facts[0, path], 1, 2)
    if (type == "file" && facts[0, path] !~ / 0$/) print "./" path > (work "/" view ".files")
    else if (type == "link") print "./" path > (work "/" view ".links")
    else if (type == "special" && letter !~ /^(p|x1)/) print "./" path > (work "/" view ".devices")
    print "./" path > (work "/" view ".attributes")
}

# Mounts that show files of others as they are (overlays) have devices of their own.
function is_same_inode(view, path, one, other) {
    one = stamps[0, path]
    other = stamps[view, path]
    if (one == "") return 0
    if (alike != "") {
        one = substr(one, index(one, ":"))
        other = substr(other, index(other, ":"))
    }
    return one == other
}

# Whether no view has anything but a directory there and above.
function is_solid(path, view, result) {
    if (path == "") return 1
    if (path in solid) return solid[path]
    result = is_solid(up_of(path))
    for (view = 1; view <= views && result; view++)
        if ((view, path) in types && types[view, path] != "directory") result = 0
    solid[path] = result
    return result
}

# Of a tree that is gone the uppermost path alone; what stands below a link or a file went with the directory.
function is_gone(path, up) {
    if ((0, path) in types) return 0
    up = up_of(path)
    return up == "" || (0, up) in types && types[0, up] == "directory" && !(up in hollow)
}

function up_of(path, name) {
    name = path
    sub(/.*\//, "", name)
    return substr(path, 1, length(path) - length(name) - 1)
}
