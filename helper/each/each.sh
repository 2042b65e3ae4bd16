# each: a layer for each path; what has not changed is kept.

each_path() {
    template='{}'
    directory=
    while [ $# -gt 0 ]; do
        case $1 in
        --name | -C)
            [ $# -ge 2 ] || misuse "each $1 takes a value"
            if [ "$1" = -C ]; then directory=$2; else template=$2; fi
            shift
            ;;
        --name=*) template=${1#--name=} ;;
        -C?*) directory=${1#-C} ;;
        --)
            shift
            break
            ;;
        -*) misuse "unknown option '$1' of each" ;;
        *) break ;;
        esac
        shift
    done
    [ $# -ge 1 ] || misuse "each takes at least one path"
    check_each "$@"
    check_tools awk find
    add_each "$@"
}

add_each() {
    find_base
    open_output
    [ -z "$directory" ] || cd -- "$directory" 2>/dev/null || die "cannot change to '$directory'"
    learn_mounts
    reserve_directory
    for path in "$@"; do
        shift
        note_path "$path"
        set -- "$@" "$shown"
    done
    cd -P -- .
    paths_begin=$PWD
    choose_telling
    open_state "$template $PWD/$1"
    recall_trees "$@"
    # What is found is looked at while the rest is searched for.
    { walk_paths "$@" && : >"$work/whole"; } |
        layer_work=$work layer_template=$template layer_fixed=$fixed awk "$each_program" \
            mode=paths "$work/paths" mode=now "$work/now" mode=walk - || die "cannot plan the layers"
    [ -e "$work/whole" ] || die "cannot read all of the paths"
    decide_layers
    # Asked once, not by each of those that run side by side.
    [ ! -s "$work/jobs" ] || recall_tar
    pack_layers pack_path "$@"
    publish_layers
}

check_each() {
    case $template in
    '') misuse "each takes a name that is not empty" ;;
    *"$newline"*) misuse "each takes no name with a line break" ;;
    *'{}'* | *'{/}'*) ;;
    *) [ $# -eq 1 ] || misuse "each --name takes a name with {} or {/} in it, as in: --name 'app-{/}'" ;;
    esac
    absolute=
    relative=
    for path in "$@"; do
        case $path in
        '') misuse "each takes no empty path" ;;
        *"$newline"*) die "a path with a line break cannot be named here, add it by itself" ;;
        /*) absolute=yes ;;
        *) relative=yes ;;
        esac
    done
    [ -z "$absolute" ] || [ -z "$relative" ] ||
        misuse "each takes paths from / or from the working directory, not both"
}

# Sets shown, how find and tar get the path $1. Writes a line for it into $work/paths: what the layer is called after,
# behind "above" where its files are not all that would be found below it.
note_path() {
    case $1 in
    /*) cd / ;;
    esac
    called=$1
    contents=
    while :; do
        case $called in
        ?*/) called=${called%/} ;;
        */.) called=${called%.} contents=/. ;;
        *) break ;;
        esac
    done
    without_root "$called"
    shown=./$inner$contents
    [ -e "$shown" ] || [ -L "$shown" ] || die "no '$1', nothing was added"
    printf '%s\n' "$shown" >>"$work/shown"
    note_mounts
}

# Whether all that is below the path would be found, and where the path is.
note_mounts() {
    place=
    if is_above_mounts "$shown"; then
        printf 'above %s\n' "$called" >>"$work/paths"
    else
        printf 'all %s\n' "$called" >>"$work/paths"
    fi
    case $place in
    *"$newline"*) place= ;;
    esac
    printf '%s\n' "$place" >>"$work/places"
}

# Writes what stat says of the paths that are not known, and all that is below, with a line for $work/none behind each.
walk_paths() (
    exec 3<"$work/paths" 4<"$known"
    for one in "$@"; do
        shift
        read -r how _ <&3
        read -r _ signature _ <&4 || signature=-
        if [ "$how $signature" = "all -" ]; then set -- "$@" "$one"; fi
        set -- "$@" "$work/none"
    done
    # A name with a line break could say anything of other paths: it makes a file, and is not told.
    # shellcheck disable=SC2016
    set -- "$@" -path "*$newline*" -exec sh -c ': >"$0"' "$work/odd" {} + -o
    tell find "$@"
)

# The layer of this number, of its path among those that follow.
pack_path() {
    number=$1
    shift 2
    eval "path=\${$number}"
    partial=$work/$unique-$number.tar
    scratch=$work/$number.work
    ours=$work
    case $path in
    */.)
        cd -- "${path%/.}" 2>/dev/null || die "cannot read '${path%/.}', nothing was added"
        path=.
        ;;
    esac
    pack_paths "$path"
    work=$ours
    cd -- "$paths_begin"
}
