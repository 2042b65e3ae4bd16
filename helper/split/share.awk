# Which units share a layer.
#
# A layer in which something has changed is sent and stored anew whole. So a layer costs, over the updates that a plan is
# thought of for (horizon), its bytes by the chance that an update changes one of its packages; and once its bytes, if
# the previous image does not have it. A layer of the previous image that has not changed is never divided: to wait for
# its first change costs nothing more. Chances are quotients, which all awks round alike.

BEGIN {
    # An update of the image each week, for half a year.
    updates_a_month = 4
    horizon = 24
    # What a layer adds to the documents of the image, in bytes, which are sent with each update.
    layer_cost = 400
    endless = 1000000000000000
}

# Sets layer_of for each unit: the number of its layer, from the lowest. A layer's name is all of its units', so that
# the image itself says who shared.
function group_units() {
    count_specials()
    read_previous()
    rate_units()
    if (plan_lines) follow_plan()
    else if (ordered <= room) stay_alone()
    else share_layers()
    stack_layers()
}

# The caches, the databases and what belongs to nobody come last and change with every update.
function count_specials() {
    for (specials = 0; specials < ordered && rank_of(order[ordered - specials]) >= 70; specials++) continue
    packaged = ordered - specials
}

function stay_alone(i) {
    make_atoms()
    for (i = 1; i <= packaged; i++) group_of[order[i]] = atom_of[order[i]]
    for (i = packaged + 1; i <= ordered; i++) group_of[order[i]] = "special " i
}

# If there is room, no package shares a layer with the specials.
function share_layers(i, alone, place) {
    alone = packaged ? room - 1 : room
    if (alone > specials) alone = specials
    if (specials && alone < 1) alone = 1
    goal = packaged && room > alone ? room - alone : 0
    for (i = 1; i <= specials; i++) {
        place = i <= specials - alone + 1 ? specials - alone + 1 : i
        group_of[order[packaged + i]] = "special " place
    }
    if (goal) make_plan()
    else for (i = 1; i <= packaged; i++) group_of[order[i]] = "special " specials
}

# Sets group_of for each package that no plan of the user's has: at most as many layers as goal says.
function make_plan(i, unit) {
    make_atoms()
    split("", own_size)
    excess = atoms - goal
    join_sources()
    for (i = 1; i <= atoms; i++) {
        if (i in joined) continue
        own_size[i] = size_of[i]
        own_hazard[i] = hazard_of[i]
    }
    join_atoms_cheaply()
    if (excess > 0 && most_bytes) {
        note("some layers are larger than --max-layer-bytes, for there is room for " room)
        for (; excess > 0 && atoms > 1; join_atoms_cheaply()) most_bytes *= 2
    }
    place_atoms()
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        if (unit in atom_of) group_of[unit] = place_of[atom_of[unit]]
    }
}
