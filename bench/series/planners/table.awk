# Reads units from a table instead of a root, and prints the plan that the helper makes of them: a line for each layer
# from the lowest, the numbers of its units.
# <kind> TAB <key> TAB <name> TAB <source> TAB <rank> TAB <bytes>

mode == "units" {
    split($0, part, "\t")
    unit = ++units
    kinds[unit] = part[1]
    keys[unit] = part[2]
    names[unit] = part[3]
    sources[unit] = part[4]
    ranks[unit] = part[5]
    bytes[unit] = part[6] + 0
    next
}
mode == "names" {
    previous[++previouses] = $0
    next
}
END {
    room = ENVIRON["layer_room"] + 0
    for (unit = 1; unit <= units; unit++) sorted[unit] = ranks[unit] " " keys[unit] " " names[unit] " " unit
    sort_strings(sorted, units)
    for (ordered = 1; ordered <= units; ordered++) {
        n = split(sorted[ordered], part, " ")
        order[ordered] = part[n] + 0
    }
    ordered = units
    group_units()
    for (i = 1; i <= ordered; i++) line[layer_of[order[i]]] = line[layer_of[order[i]]] " " order[i]
    for (i = 1; i <= layers; i++) print line[i]
}

# What the helper has elsewhere: there are no paths here, and nobody is told of anything.
function weight_of(at) {
    return at * 0
}

function note(text) {
    refuse(text)
}

function refuse(reason) {
    print reason > "/dev/stderr"
    exit 1
}
