# A plan becomes better: packages go to the layers where they cost less.

# Sets place_of: the layer of each atom, called after one of its atoms. Moves those of layers that the previous image
# does not have, until nothing is gained by it.
function place_atoms(atom, round, moved) {
    split("", sharers)
    layered = 0
    for (atom = 1; atom <= atoms; atom++) {
        place_of[atom] = root_of(atom)
        if (!(atom in own_size)) continue
        if (!sharers[place_of[atom]]++ && !kept_of[place_of[atom]]) layer_at[++layered] = place_of[atom]
    }
    for (round = 1; round <= 4; round++) {
        moved = 0
        for (atom = 1; atom <= atoms; atom++)
            if ((atom in own_size) && !kept_of[place_of[atom]]) moved += move_atom(atom, place_of[atom])
        if (!moved) break
    }
    # Those of one source went with one of them.
    for (atom = 1; atom <= atoms; atom++) if (!(atom in own_size)) place_of[atom] = place_of[source_root[atom]]
}

function root_of(atom) {
    while (atom in joined) atom = joined[atom]
    return atom
}

# Returns whether it went to another layer.
function move_atom(atom, from, i, to, size, hazard, gain, best, cost, least) {
    size = own_size[atom]
    hazard = own_hazard[atom]
    gain = cost_of_atom(from)
    if (sharers[from] > 1) gain -= cost_of(size_of[from] - size, hazard_of[from] - hazard, 0)
    best = 0
    least = gain - 1
    for (i = 1; i <= layered; i++) {
        to = layer_at[i]
        if (to == from || !sharers[to] || most_bytes && size_of[to] + size > most_bytes) continue
        cost = cost_of(size_of[to] + size, hazard_of[to] + hazard, 0) - cost_of_atom(to)
        if (cost < least) {
            best = to
            least = cost
        }
    }
    if (!best) return 0
    sharers[from]--
    size_of[from] -= size
    hazard_of[from] -= hazard
    sharers[best]++
    size_of[best] += size
    hazard_of[best] += hazard
    source_of[from] = source_of[best] = ""
    place_of[atom] = best
    return 1
}
