# Layers become fewer: the two go together of which it costs the least, again and again.

# Sets joined. So many that any may go with any are few; of more, first those that stand side by side where they are
# sorted by chance of a change a byte: what a good plan has in one layer is alike in that.
function join_atoms_cheaply(atom) {
    alive = 0
    for (atom = 1; atom <= atoms; atom++) if (!(atom in joined)) live[++alive] = atom
    if (alive > 120) join_neighbours()
    join_any()
}

function join_any(i, j, best, cost, one, two) {
    for (i = 1; i <= alive; i++) find_partner(i)
    while (alive > 1) {
        best = 1
        for (i = 2; i <= alive; i++) if (partner_cost[i] < partner_cost[best]) best = i
        if (partner_cost[best] >= endless || excess <= 0 && partner_cost[best] >= 0) break
        one = best < partner[best] ? best : partner[best]
        two = best + partner[best] - one
        join_atoms(live[one], live[two])
        drop_live(two)
        for (i = 1; i <= alive; i++) {
            if (i == one || partner[i] == one || partner[i] == two) find_partner(i)
            else {
                # The last took the place of the one that is gone.
                if (partner[i] == alive + 1) partner[i] = two
                cost = cost_of_joining(live[i], live[one])
                if (cost < partner_cost[i]) {
                    partner[i] = one
                    partner_cost[i] = cost
                }
            }
        }
    }
}

function drop_live(at) {
    live[at] = live[alive]
    partner[at] = partner[alive]
    partner_cost[at] = partner_cost[alive]
    alive--
}

function find_partner(i, j, cost) {
    partner[i] = 0
    partner_cost[i] = endless
    for (j = 1; j <= alive; j++) {
        if (j == i) continue
        cost = cost_of_joining(live[i], live[j])
        if (cost < partner_cost[i]) {
            partner[i] = j
            partner_cost[i] = cost
        }
    }
}

# In rounds: of all neighbours the cheaper half of what is too much, each in one pair.
function join_neighbours(i, n, sorted, part, want, taken, left) {
    sort_live()
    while (alive > 120) {
        n = 0
        for (i = 1; i < alive; i++) sorted[++n] = sortable(cost_of_joining(live[i], live[i + 1])) " " sprintf("%7d", i)
        sort_strings(sorted, n)
        want = int((alive - 120) / 2) + 1
        split("", taken)
        for (i = 1; i <= n && want > 0; i++) {
            split(sorted[i], part, " ")
            if (part[1] >= sortable(endless)) break
            if ((part[2] + 0 in taken) || (part[2] + 1 in taken)) continue
            taken[part[2] + 0] = taken[part[2] + 1] = 1
            join_atoms(live[part[2] + 0], live[part[2] + 1])
            want--
        }
        left = 0
        for (i = 1; i <= alive; i++) if (!(live[i] in joined)) live[++left] = live[i]
        if (left == alive) return
        alive = left
    }
}

# By chance of a change a byte, then as they were found.
function sort_live(i, sorted, part) {
    for (i = 1; i <= alive; i++)
        sorted[i] = sprintf("%022.9f", risk_of(size_of[live[i]], hazard_of[live[i]])) " " sprintf("%7d", live[i])
    sort_strings(sorted, alive)
    for (i = 1; i <= alive; i++) {
        split(sorted[i], part, " ")
        live[i] = part[2] + 0
    }
}

# The chance that an update changes it, for each gigabyte of it. What is expected of a package is known from few changes,
# so that it counts by its root: measured, a storage unpacks less so.
function risk_of(size, hazard) {
    return square_root_of(hazard) / size * 1000000000
}

# The square root, by Heron's way: busybox may have been built without sqrt.
function square_root_of(value, guess, i) {
    guess = value > 1 ? value : 1
    for (i = 1; i <= 30; i++) guess = (guess + value / guess) / 2
    return guess
}

# As text that sorts as the number does, which is not below -10^15.
function sortable(number) {
    return sprintf("%022.6f", number + 1000000000000000)
}
