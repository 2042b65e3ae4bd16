# The order of the units, and their names.

# Sets order, the units that have something, and their names and sizes. It is the order of names in a layer that
# several share, so nothing in it depends on versions or sizes: an upgrade changes no other name's place.
function order_units(at, n, i, who, unit, sorted) {
    for (at = 1; at <= count; at++) {
        n = split(owners[at], who, " ")
        for (i = 1; i <= n; i++) {
            entries[who[i]]++
            bytes[who[i]] += weight_of(at)
        }
    }
    ordered = 0
    for (unit = 1; unit <= units; unit++) {
        if (!entries[unit]) continue
        name_unit(unit)
        sorted[++ordered] = rank_of(unit) " " keys[unit] " " names[unit] " " unit
    }
    sort_strings(sorted, ordered)
    for (i = 1; i <= ordered; i++) {
        n = split(sorted[i], who, " ")
        order[i] = who[n] + 0
        position[order[i]] = i
    }
}

# Two digits, because it is compared as text: 10 to 30 listed packages, up to 59 found ones, up to 69 what stands by
# itself, then the rest.
function rank_of(unit) {
    if (unit in ranks) return ranks[unit]
    return kinds[unit] in rank_of_kind ? rank_of_kind[kinds[unit]] : 30
}

function name_unit(unit, name) {
    name = architectures[unit]
    if (name != "" && name != "all" && name != native_of(kinds[unit])) keys[unit] = keys[unit] ":" name
    name = full_names[unit]
    if (name == "") name = versions[unit] == "" ? keys[unit] : keys[unit] "-" versions[unit]
    gsub(/ /, "%20", name)
    # The same name from two package managers.
    if (name in named) name = name ":" kinds[unit]
    named[name] = 1
    names[unit] = name
}

# The architecture that most packages of the kind have.
function native_of(kind, unit, tally, best) {
    if (kind in native) return native[kind]
    best = ""
    for (unit = 1; unit <= units; unit++) {
        if (kinds[unit] != kind || architectures[unit] == "" || architectures[unit] == "all") continue
        tally[architectures[unit]]++
        if (best == "" || tally[architectures[unit]] > tally[best]) best = architectures[unit]
    }
    native[kind] = best
    return best
}

# Shell sort.
function sort_strings(list, n, gap, i, j, item) {
    for (gap = 1; gap < n / 3; gap = 3 * gap + 1) continue
    for (; gap >= 1; gap = (gap - 1) / 3) {
        for (i = gap + 1; i <= n; i++) {
            item = list[i]
            for (j = i; j > gap && list[j - gap] "" > item ""; j -= gap) list[j] = list[j - gap]
            list[j] = item
        }
    }
}
