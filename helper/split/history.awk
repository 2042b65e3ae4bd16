# Which layers of this build are not split's. A program of its own.
#
# Prints a line for each that has to be read, <file> TAB <digest or -> TAB <name, JSON>; writes the paths that the last
# build has left of the others.

BEGIN {
    FS = "\t"
    taken_file = ENVIRON["layer_work"] "/taken"
}

mode == "names" {
    digests[FNR] = $1
    names[FNR] = as_json(substr($0, length($1 $2 $3) + 4))
    next
}
mode == "last" {
    split($0, part, " ")
    for (i = part[1] + 0; i && i < part[1] + part[2]; i++) {
        if (names[i] in digest_of) digest_of[names[i]] = "-"
        else digest_of[names[i]] = digests[i]
    }
    next
}
# What a split of this build has kept is its own.
mode == "split" {
    is_split[as_json(substr($0, length($1 $2) + 3))] = 1
    next
}
# Believed of the very layer that stands in the image of that build.
mode == "state" && $1 == "layer" {
    name = substr($0, length($1 $2 $3) + 4)
    if (!(name in digest_of) || $3 != "-" && $3 != digest_of[name]) name = ""
    else remembered[name] = "layer\t" $2 "\t" digest_of[name] "\t" name
    next
}
mode == "state" {
    if (name != "") remembered[name] = remembered[name] "\n" $0
    next
}
# As the helper writes it, and nobody else.
mode == "history" && /^[{]"created_by":".*","(path|digest)":"[^"]*"[}]$/ {
    match($0, /","(path|digest)":"[^"]*"[}]$/)
    name = substr($0, 16, RSTART - 16)
    said = substr($0, RSTART + 3, RLENGTH - 5)
    value = substr(said, index(said, ":") + 2)
    if (value ~ /^layers\/(add|each)-/) print "output/" value "\t-\t" name
    else if (said ~ /^digest/ && !(name in is_split)) take_kept(value)
}

function take_kept(digest) {
    if ((name in remembered) && digest_of[name] == digest) print remembered[name] > taken_file
    else if (digest ~ /^sha256:[0-9a-f]+$/) print "input/blobs/sha256/" substr(digest, 8) "\t" digest "\t" name
}

# Names of the names file as JSON has them; the few with other control characters are not told of.
function as_json(text) {
    if (text ~ /[\001-\037\177]/) return "-"
    gsub(/"/, "\\\"", text)
    return text
}
