# What the layers of the previous image shared.

# Finds out which layer of the previous image has which package, in this version or another.
function read_previous(i, j, n, part, name, unit) {
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        unit_of_name[escape(names[unit], 0)] = unit
        unit_of_key[escape(keys[unit], 0)] = unit
    }
    for (i = 1; i <= previouses; i++) {
        n = split(previous[i], part, " ")
        for (j = 1; j <= n; j++) {
            if (part[j] in unit_of_name) line_of_unit[unit_of_name[part[j]]] = i
            else if (unit = unit_of_other_version(part[j])) other_line[unit] = i
        }
    }
}

function line_of(unit) {
    if (unit in line_of_unit) return line_of_unit[unit]
    return unit in other_line ? other_line[unit] : 0
}

# The key of a unit stands before a "-" that a digit follows, but for names that their kind reads itself.
function unit_of_other_version(name, i, key) {
    if (name in key_of_name) {
        key = key_of_name[name]
        return key in unit_of_key ? unit_of_key[key] : 0
    }
    for (i = length(name) - 1; i > 1; i--) {
        key = substr(name, 1, i - 1)
        if (substr(name, i) ~ /^-[0-9]/ && (key in unit_of_key)) return unit_of_key[key]
    }
    return 0
}
