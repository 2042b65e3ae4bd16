# The order of the layers. A storage knows a layer by all that lie below it: what changes takes all above it along. So
# what changes rarely for its size lies below, and what changes often on top.

# Sets layer_of: the number of the layer of each unit, from the lowest.
function stack_layers(i, group, sorted, part) {
    layers = 0
    split("", number_of_group)
    describe_groups()
    if (plan_lines) stack_as_planned()
    else stack_as_before()
    n_sorted = 0
    for (i = 1; i <= ordered; i++) {
        group = group_of[order[i]]
        if ((group in number_of_group) || (group in queued)) continue
        queued[group] = 1
        sorted[++n_sorted] = height_of(group) " " sprintf("%7d", i)
    }
    sort_strings(sorted, n_sorted)
    for (i = 1; i <= n_sorted; i++) {
        split(sorted[i], part, " ")
        number_of_group[group_of[order[part[3] + 0]]] = ++layers
    }
    for (i = 1; i <= ordered; i++) layer_of[order[i]] = number_of_group[group_of[order[i]]]
}

# Text that sorts as the layers are to lie: the specials in their own order on top.
function height_of(group) {
    if (group in special_group) return "1 " sprintf("%022d", special_group[group])
    return "0 " sprintf("%022.9f", risk_of(group_size[group], group_hazard[group]))
}

# Sets the size and hazard of each group, and special_group for those with a special in them.
function describe_groups(i, unit, group, seen) {
    for (i = 1; i <= ordered; i++) {
        unit = order[i]
        group = group_of[unit]
        group_size[group] += bytes[unit]
        if (i > packaged && !(group in special_group)) special_group[group] = i
        if (!seen[group, source_name(unit)]++) group_hazard[group] += rate[unit] / updates_a_month
    }
}

# The layers of the previous image that stay stay where they are, up to the first that does not: from there on a
# storage has nothing anyway.
function stack_as_before(i, unit, group, group_of_line, touched) {
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        touched[line_of(unit)] = 1
        group = group_of[unit]
        if ((group in kept_of) && kept_of[group]) group_of_line[kept_of[group]] = group
    }
    for (i = 1; i <= previouses; i++) {
        if (!(i in touched)) continue
        if (!(i in group_of_line)) return
        number_of_group[group_of_line[i]] = ++layers
    }
}
