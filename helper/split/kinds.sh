# split: the kinds of packages. What is known of one stands in its file, kinds/<kind>.sh.

check_kinds() {
    IFS=,
    for kind in $kinds; do
        knows_kind "$kind" || misuse "split knows no '$kind'"
    done
    unset IFS
}

knows_kind() {
    case $1 in
    *[!a-z0-9]*) return 1 ;;
    esac
    case " auto $listed_kinds $found_kinds " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# Sets kinds, with blanks between, from what the user named; "auto" from what is there.
choose_kinds() {
    wanted=
    told=
    IFS=,
    for kind in $kinds; do
        unset IFS
        if [ "$kind" = auto ]; then
            # The order in which they claim paths.
            for found in $listed_kinds $found_kinds; do
                if "has_$found"; then wanted="$wanted $found"; fi
            done
        else
            "has_$kind" || die "found no $kind packages in $root, is it the right root?"
            wanted="$wanted $kind"
        fi
    done
    unset IFS
    kinds=$wanted
}

# Whether one of these is in the root. Sets evidence, the first that is, and looked, as "layer kinds" says it.
find_evidence() {
    evidence=
    looked=
    for file in "$@"; do
        looked="$looked or /$file"
        if [ -e "$file" ] && [ -z "$evidence" ]; then evidence=$file; fi
    done
    looked=${looked# or }
    [ -n "$evidence" ]
}

# Whether there are packages shows in the walk, where awk finds paths such as $1.
look_in_walk() {
    evidence=
    looked=$1
}

# Writes $work/<kind>.listed for each kind whose packages only a program of its own can list. Before
# the walk, because such a program makes and removes files beside its database.
list_kinds() {
    for kind in $kinds; do
        command -v "list_$kind" >/dev/null || continue
        "list_$kind" >"$work/$kind.listed" || die "cannot list the $kind packages in $root"
    done
}

# Sets files: what awk reads of the kind $1, and under which mode.
find_files() {
    files=
    if command -v "files_$1" >/dev/null; then "files_$1"; fi
}
