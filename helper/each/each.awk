# each: signatures of what stat says, and what the layers are called.
#
# In the walk a line for $work/none ends what is told of a path.

BEGIN {
    work = ENVIRON["layer_work"]
    ending = " " work "/none"
    ending_length = length(ending)
    begin_layer(1)
}

mode == "paths" {
    # Not all that is below it is told of.
    if (/^above /) unsure[FNR] = 1
    called[FNR] = substr($0, index($0, " ") + 1)
    layers = FNR
    next
}

# A path of the tree may end like that, too, but not without its beginning.
substr($0, length($0) - ending_length + 1) == ending && !index(substr($0, 1, length($0) - ending_length), " ./") {
    close(signatures)
    begin_layer(layer + 1)
    next
}

mode == "walk" {
    at = index($0, " ./")
    # The end of a name with a line break.
    if (!at) unsure[layer] = 1
    if (!at || (type = type_of($3)) == "socket") next
    if (is_unsure(type)) unsure[layer] = 1
    if (type == "file") bytes[layer] += $6
    print stat_of(type, at), substr($0, at + 1) > signatures
}

END {
    for (layer = 1; layer <= layers; layer++) {
        if (layer in unsure) print layer > (work "/unsure")
        name = fill(ENVIRON["layer_template"], called[layer])
        # Which of them has a name with a line break nobody says.
        printf("%d\t%d\todd\t%s\t%s\n", layer, bytes[layer], escape(name, 0), escape(name, 1)) > (work "/plan")
    }
}

function begin_layer(number) {
    layer = number
    signatures = work "/" layer ".sig"
}

# The template with the path for {}, and its last part for {/}.
function fill(template, path, last, result) {
    last = path
    sub(/.*\//, "", last)
    while (match(template, /[{]\/?[}]/)) {
        result = result substr(template, 1, RSTART - 1) (RLENGTH == 2 ? path : last)
        template = substr(template, RSTART + RLENGTH)
    }
    return result template
}
