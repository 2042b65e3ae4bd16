# What a plan is made of: atoms, which no plan divides. An atom is a package, packages of one source, or a layer of the
# previous image that stays as it is.

# Sets atoms and what is known of each: size_of, hazard_of (changes an update), source_of ("" for several), kept_of
# (whether the previous image has it as a layer). atom_of has the atom of each package.
function make_atoms(i, unit, line, text, atom, whole) {
    atoms = 0
    split("", joined)
    for (i = 1; i <= packaged; i++) {
        if (order[i] in group_of) continue
        line = line_of(order[i])
        if (line) text[line] = text[line] (text[line] == "" ? "" : " ") escape(names[order[i]], 0)
    }
    for (line in text) whole[line] = text[line] == previous[line]
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        if (unit in group_of) continue
        line = line_of(unit)
        if (line && whole[line] && (line in atom)) add_to_atom(atom[line], unit)
        else {
            atom_of[unit] = new_atom(unit)
            if (line && whole[line]) {
                atom[line] = atoms
                kept_of[atoms] = line
            }
        }
    }
}

function new_atom(unit) {
    size_of[++atoms] = bytes[unit]
    hazard_of[atoms] = rate[unit] / updates_a_month
    source_of[atoms] = source_name(unit)
    kept_of[atoms] = 0
    return atoms
}

function add_to_atom(atom, unit) {
    atom_of[unit] = atom
    size_of[atom] += bytes[unit]
    if (source_of[atom] == source_name(unit)) return
    source_of[atom] = ""
    if (!counted[atom, source_name(unit)]++) hazard_of[atom] += rate[unit] / updates_a_month
}

function source_name(unit) {
    return kinds[unit] " " (sources[unit] == "" ? keys[unit] : sources[unit])
}

# What a layer of so many bytes and changes costs until the plan is made again.
function cost_of(size, hazard, is_kept) {
    return horizon * (size * hazard / (1 + hazard) + layer_cost) + (is_kept ? 0 : size)
}

function cost_of_atom(atom) {
    return cost_of(size_of[atom], hazard_of[atom], kept_of[atom])
}

# One takes in the other.
function join_atoms(into, atom) {
    joined[atom] = into
    size_of[into] += size_of[atom]
    if (source_of[into] == "" || source_of[into] != source_of[atom]) {
        hazard_of[into] += hazard_of[atom]
        source_of[into] = ""
    }
    kept_of[into] = 0
    excess--
}

# What it costs to have the two in one layer.
function cost_of_joining(one, two, size, hazard) {
    size = size_of[one] + size_of[two]
    if (most_bytes && size > most_bytes) return endless
    hazard = hazard_of[one]
    if (source_of[one] == "" || source_of[one] != source_of[two]) hazard += hazard_of[two]
    return cost_of(size, hazard, 0) - cost_of_atom(one) - cost_of_atom(two)
}

# Packages of one source change together, so that sharing costs them nothing.
function join_sources(atom, source, first) {
    for (atom = 1; atom <= atoms; atom++) {
        source = source_of[atom]
        if (source == "" || kept_of[atom]) continue
        if ((source in first) && cost_of_joining(first[source], atom) < endless) {
            join_atoms(first[source], atom)
            source_root[atom] = first[source]
        } else first[source] = atom
    }
}
