# kinds: what split would find in a root, and why.

tell_kinds() {
    [ $# -le 1 ] || misuse "kinds takes one root"
    root=${1:-/}
    case $root in
    -*) misuse "unknown option '$root' of kinds" ;;
    esac
    check_tools awk find sort
    find_base
    resolve_base
    find_place "$root" || die "no directory '$root' to look at"
    root=$place
    open_output
    cd -- "$root"
    ask_kinds
    room=1
    plan_file=
    lowers=
    map_file=
    most_bytes=
    reserve_directory
    list_kinds
    walk_root
    plan_layers
}

# Sets kinds, those that may be there, and told: a line for each that there is, with what is looked for and what
# was found, with tabs between.
ask_kinds() {
    told=
    wanted=
    for kind in $listed_kinds $found_kinds; do
        looked=
        evidence=
        if "has_$kind"; then wanted="$wanted $kind"; else evidence=; fi
        told=$told$kind$tab$looked$tab$evidence$newline
    done
    kinds=$wanted
}
