# Fewer layers than units.

# Sets layer_of for each unit: the number of its layer, in order. Where there are more units than
# room, some share a layer whose name is all of theirs, so that the image itself says who shared.
function group_units(i) {
    if (ordered <= room) for (i = 1; i <= ordered; i++) group_of[order[i]] = i
    else share_layers()
    number_layers()
}

# A layer stands where the first of its units would.
function number_layers(i, group, numbers) {
    layers = 0
    for (i = 1; i <= ordered; i++) {
        group = group_of[order[i]]
        if (!(group in numbers)) numbers[group] = ++layers
        layer_of[order[i]] = numbers[group]
    }
}

# The cache, the databases and what belongs to nobody come last and change most: if there is room, no
# package shares a layer with them.
function share_layers(i, specials, alone, place) {
    for (specials = 0; specials < ordered && rank_of(order[ordered - specials]) >= 70; specials++) continue
    packaged = ordered - specials
    alone = packaged ? room - 1 : room
    if (alone > specials) alone = specials
    if (specials && alone < 1) alone = 1
    goal = packaged && room > alone ? room - alone : 0
    for (i = 1; i <= specials; i++) {
        place = i <= specials - alone + 1 ? specials - alone + 1 : i
        group_of[order[packaged + i]] = "special " place
    }
    if (goal) plan_groups()
    else for (i = 1; i <= packaged; i++) group_of[order[i]] = "special " specials
}

# The plan of the previous image stays until an update costs twice what it would with a new plan.
function plan_groups(i, cost, sticky) {
    read_previous()
    cost = make_plan(1)
    for (i = 1; i <= packaged; i++) sticky[order[i]] = group_of[order[i]]
    if (cost <= 2 * make_plan(0)) for (i = 1; i <= packaged; i++) group_of[order[i]] = sticky[order[i]]
}

# Sets group_of for each package and returns what an update of one source package costs: the sum
# over them of the bytes that change with each.
function make_plan(from_previous, i, unit, line, group, text, cost) {
    plan++
    groups = 0
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        line = from_previous ? line_of(unit) : 0
        group = plan (line ? " line " line : " unit " unit)
        group_of[unit] = group
        if (!(group in size_of)) {
            start_of[group] = i
            source_of[group] = source_name(unit)
            list[++groups] = group
        } else if (source_of[group] != source_name(unit)) source_of[group] = ""
        size_of[group] += bytes[unit]
        if (!((group, source_name(unit)) in counted)) sources_of[group]++
        counted[group, source_name(unit)] = 1
        text[group] = text[group] (text[group] == "" ? "" : " ") escape(names[unit], 0)
        # A layer that would stay as it is should: its bytes count twice.
        heavy[group] = line && text[group] == previous[line]
    }
    excess = groups - goal
    if (excess > 0) join_sources()
    if (excess > 0) join_smallest()
    cost = 0
    for (i = 1; i <= packaged; i++) {
        group = group_of[order[i]]
        while (group in joined) group = joined[group]
        group_of[order[i]] = group
        if (group in summed) continue
        summed[group] = 1
        cost += size_of[group] * sources_of[group]
    }
    return cost
}

function source_name(unit) {
    return kinds[unit] " " (sources[unit] == "" ? keys[unit] : sources[unit])
}
