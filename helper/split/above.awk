# What stands in the base is in no layer, and what is gone from it is a whiteout in one.

# From above.sh: what stands in the base as far as stat tells; what differs all the same; what is gone, and
# whose it was: <kind> TAB <key> TAB <architecture> TAB <path>; directories above names that no list can hold.
mode == "stays" {
    stays[substr($0, 3)] = 1
    next
}
mode == "differs" {
    delete stays[substr($0, 3)]
    next
}
mode == "gone" {
    gone[++gones] = $0
    next
}
mode == "owners" {
    split($0, part, "\t")
    path = substr($0, length(part[1] part[2] part[3]) + 4)
    owner_kind[path] = part[1]
    owner_key[path] = part[2]
    owner_architecture[path] = part[3]
    next
}
mode == "ways" {
    odd_way[++odd_ways] = $0
    next
}

function leave_to_base(at) {
    if (ENVIRON["layer_asked"] != "") {
        tell_owners(ENVIRON["layer_asked"])
        exit
    }
    leave_groups()
    for (at = 1; at <= count; at++) if (paths[at] in stays) owners[at] = ""
    hold_changed_ways()
    hold_odd_ways()
    give_gone()
}

# A directory that came with what is in it, and comes with nothing any more, has an entry of its own where it has changed.
function hold_changed_ways(at, comes) {
    for (at = count; at; at--) {
        if (owners[at] != "") comes[at] = 1
        else if (types[at] == "directory" && !comes[at] && !(paths[at] in stays)) {
            owners[at] = " " other
            comes[at] = 1
        }
        if (comes[at] && above[at]) comes[above[at]] = 1
    }
}

# The names of a file are all the base's or none is.
function leave_groups(file, group, n, i, whole) {
    for (file in linked) {
        n = split(linked[file], group, " ")
        whole = 1
        for (i = 1; i <= n; i++) if (!(paths[group[i]] in stays)) whole = 0
        for (i = 1; i <= n && !whole; i++) delete stays[paths[group[i]]]
    }
}

# Names with a line break are written with what belongs to nobody: the directories above them, too.
function hold_odd_ways(i, at) {
    for (i = 1; i <= odd_ways; i++) {
        at = number_of(odd_way[i])
        if (at && index(owners[at] " ", " " other " ") == 0) owners[at] = owners[at] " " other
        # Where they stand in the root itself there is no such directory.
        if (!at) entries[other]++
    }
}

# A whiteout is in the layer of the package that had the path in the base, where it has one here.
function give_gone(at, i, n, who, left, unit, unit_of) {
    if (!gones) return
    for (at = 1; at <= count; at++) {
        n = split(owners[at], who, " ")
        for (i = 1; i <= n; i++) left[who[i]] = 1
    }
    for (unit = 1; unit <= units; unit++) {
        if (!(unit in left)) continue
        unit_of[kinds[unit], keys[unit]] = unit
        unit_of[kinds[unit], keys[unit], architectures[unit]] = unit
    }
    for (i = 1; i <= gones; i++) {
        if (length(basename(gone[i])) > 251)
            refuse("no whiteout can say that /" gone[i] " is removed, for its name is too long: leave it there")
        unit = owner_of_gone(gone[i], unit_of)
        if (!unit) {
            if (!removed) removed = new_removed()
            unit = removed
        }
        unit_of_gone[i] = unit
        entries[unit]++
        bytes[unit] += 512
    }
}

function owner_of_gone(path, unit_of, kind, key) {
    if (!(path in owner_kind)) return 0
    kind = owner_kind[path]
    key = owner_key[path]
    if ((kind, key, owner_architecture[path]) in unit_of) return unit_of[kind, key, owner_architecture[path]]
    return (kind, key) in unit_of ? unit_of[kind, key] : 0
}

function new_removed(unit) {
    unit = new_unit("removed", "removed")
    ranks[unit] = 75
    return unit
}

# The directory that a path is removed from comes with the whiteout, as it does with a file.
function hold_gone(i, layer, at) {
    for (i = 1; i <= gones; i++) {
        layer = layer_of[unit_of_gone[i]]
        gone_in[layer] = gone_in[layer] gone[i] "\n"
        for (at = number_of(parent_of(gone[i])); at && !((layer, at) in has); at = above[at]) {
            has[layer, at] = 1
            members[at] = members[at] " " layer
        }
    }
}

function write_gone(layer, signature, file) {
    if (!(layer in gone_in)) return
    file = work "/" layer ".gone"
    printf("%s", gone_in[layer]) > file
    close(file)
    printf("gone\n%s", gone_in[layer]) > signature
}

# In the base itself: whose each path is that the file names.
function tell_owners(file, path, at, who, unit) {
    while ((getline path < file) > 0) {
        at = number_of(path)
        if (!at || owners[at] == "") continue
        split(owners[at], who, " ")
        unit = who[1] + 0
        if (rank_of(unit) < 70) print kinds[unit] "\t" keys[unit] "\t" architectures[unit] "\t" path > (work "/owners")
    }
    close(file)
}
