# What there is of each kind, for those who ask before they split: then nothing is planned.

END {
    if (ENVIRON["layer_told"] != "") {
        tell_kinds()
        exit
    }
}

# A line each: the kind, how many packages, and the path that it was known by, or - and what was looked for.
function tell_kinds(unit, i, n, lines, part, packages_of, path) {
    for (unit = 1; unit <= units; unit++) packages_of[kinds[unit]]++
    n = split(ENVIRON["layer_told"], lines, "\n")
    for (i = 1; i < n; i++) {
        split(lines[i], part, "\t")
        path = part[3] == "" && (part[1] in evidence) ? evidence[part[1]] : part[3]
        if (path == "") printf("%-9s %6s  no %s\n", part[1], "-", part[2])
        else printf("%-9s %6d  /%s\n", part[1], packages_of[part[1]], path)
    }
}
