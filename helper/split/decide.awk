# What to keep of the last split. A program of its own.
#
# The state holds, for each layer of the last split, in order: <signature> TAB <digest or -> TAB
# <name>; - where that build wrote the layer. It is believed only of the very image of that build, whose
# lines in the names bin/last tells, and of names that stand there once.

BEGIN {
    FS = "\t"
    jobs = ENVIRON["layer_jobs"] + 0
    unique = ENVIRON["layer_unique"]
}
mode == "names" {
    digests[++listed] = $1
    names[listed] = substr($0, length($1 $2 $3) + 4)
    next
}
mode == "last" {
    split($0, part, " ")
    first = part[1] + 0
    last = first + part[2] - 1
    next
}
mode == "state" {
    old_signature[++olds] = $1
    old_digest[olds] = $2
    old_name[olds] = substr($0, length($1 $2) + 3)
    next
}
mode == "sums" {
    split($0, part, " ")
    number = part[2]
    sub(/^[*]/, "", number)
    sub(/\.sig$/, "", number)
    signatures[number] = part[1]
    next
}
# Of each: <mark or -> <signature or -> <path>, as trees.awk writes it.
mode == "known" {
    split($0, part, " ")
    marks[FNR] = part[1]
    if (part[2] != "-") signatures[FNR] = part[2]
    paths[FNR] = substr($0, length(part[1] part[2]) + 3)
    next
}
mode == "unsure" {
    unsure[$1] = 1
    next
}
mode == "plan" {
    layer = $1
    bytes[layer] = $2
    odd[layer] = $3
    escaped[layer] = $4
    json[layer] = $5
    layers = layer
}
END {
    trust_state()
    for (layer = 1; layer <= layers; layer++) {
        if (layer in unsure || odd[layer] == "odd" && ENVIRON["layer_odd"] != "") signatures[layer] = "-"
        digest = "-"
        name = escaped[layer]
        if ((name in trusted) && signatures[layer] != "-" && signature[name] == signatures[layer]) {
            digest = trusted[name]
            entry = "\"digest\":\"" digest "\""
        } else {
            entry = "\"path\":\"layers/" unique "-" layer ".tar\""
            give_job(layer)
        }
        print "{\"created_by\":\"" json[layer] "\"," entry "}" > (ENVIRON["layer_work"] "/entries")
        print signatures[layer] "\t" digest "\t" name
        note_tree(layer)
    }
}

# Sets trusted (a digest) and signature by name.
function trust_state(i, at, name) {
    if (!first) return
    for (at = first; at <= last; at++) {
        times[names[at]]++
        place[names[at]] = at
    }
    for (i = 1; i <= olds; i++) {
        name = old_name[i]
        if (!(name in times) || times[name] > 1) continue
        at = place[name]
        if (old_digest[i] != "-" && old_digest[i] != digests[at]) continue
        trusted[name] = digests[at]
        signature[name] = old_signature[i]
    }
}

# What a tree with this mark was signed with.
function note_tree(layer) {
    if (!(layer in marks) || marks[layer] == "-" || signatures[layer] == "-") return
    if (!noted++) print "view" ENVIRON["layer_view"] > (ENVIRON["layer_work"] "/trees")
    print marks[layer], signatures[layer], paths[layer] > (ENVIRON["layer_work"] "/trees")
}

# To the run with the least to do.
function give_job(layer, i, best) {
    best = 0
    for (i = 1; i < jobs; i++) if (load[i] + 0 < load[best] + 0) best = i
    load[best] += bytes[layer] + 65536
    print layer, best, odd[layer] > (ENVIRON["layer_work"] "/jobs")
}
