# Layers for the databases of listed packages: what is about all packages together.
END {
    claim_databases()
    system_units = units
}

# The path at that number belongs to the database of the kind, if no package has it.
function keep(kind, at) {
    if (at && !(at in keeper)) keeper[at] = kind
}

function claim_databases(i, kind, at) {
    for (i = 1; i <= listed_kinds; i++) {
        kind = listed_kind[i]
        for (at = 1; at <= units && kinds[at] != kind; at++) continue
        if (at <= units) database[kind] = new_unit("database", kind "-database")
    }
    mark_ways()
    for (at = 1; at <= count; at++) {
        if (!(at in keeper) || !is_free(at)) continue
        if (keeper[at] in database) claim(database[keeper[at]], paths[at])
    }
}
