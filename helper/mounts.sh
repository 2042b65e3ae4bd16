# Mounts: what they hide, and find without it.

# Sets mounts: the mount points of this container, one a line; fails where /proc is not mounted.
read_mounts() {
    mounts=
    [ -r /proc/self/mountinfo ] || return 1
    while read -r _id _parent _device _root point _rest; do
        # The kernel writes a space as \040.
        case $point in
        *\\*)
            point=$(printf '%s\n' "$point" | sed 's/\\/\\0/g')
            point=$(printf '%b.' "$point")
            point=${point%.}
            ;;
        esac
        mounts=$mounts$point$newline
    done </proc/self/mountinfo
}

# Sets hidden, the paths below the directory $1 that stay out with all that is in them, and
# emptied, the directories whose contents do. Both are relative to $1, one a line. "all" as $2
# leaves other mounts out as well.
find_exclusions() {
    hidden=
    emptied=
    exclude_path hidden "$1" "$base"
    [ "$2" = all ] || return 0
    if read_mounts; then
        IFS=$newline
        set -f
        for point in $mounts; do
            case $point in
            /proc/* | /sys/* | /dev/* | "$base" | "$base"/*) ;;
            *) if [ -d "$point" ]; then
                exclude_path emptied "$1" "$point"
            else
                exclude_path hidden "$1" "$point"
            fi ;;
            esac
        done
        set +f
        unset IFS
    else
        # What an engine mounts on files cannot be told from the image's own.
        for point in /etc/hosts /etc/hostname /etc/resolv.conf /run/.containerenv; do
            exclude_path hidden "$1" "$point"
        done
    fi
    for point in /proc /sys /dev; do
        exclude_path emptied "$1" "$point"
    done
}

# Adds the path $3 to the list $1 where it is below the directory $2.
exclude_path() {
    case $2 in
    /) below=${3#/} ;;
    *) below=${3#"$2"/} ;;
    esac
    case $below in
    '' | /*) return 0 ;;
    esac
    case $1 in
    hidden) hidden=$hidden./$below$newline ;;
    emptied) emptied=$emptied./$below$newline ;;
    esac
}

# Runs find below the working directory, without what find_exclusions set, with the arguments
# given as its actions. Where odd is set, names with a line break only make that file.
# No -exec stands in parentheses: busybox would never run it.
find_below() {
    actions=$#
    IFS=$newline
    set -f
    for point in $hidden; do
        escape_pattern "$point"
        set -- "$@" -path "$pattern" -prune -o
    done
    if [ -n "${odd-}" ]; then
        # shellcheck disable=SC2016
        set -- "$@" -path "*$newline*" -exec sh -c ': >"$0"' "$odd" {} + -o
    fi
    set -- "$@" '('
    for point in $emptied; do
        escape_pattern "$point"
        set -- "$@" -path "$pattern" -prune -o
    done
    set +f
    unset IFS
    set -- "$@" -name '*' ')'
    # The actions were first: they go to the end.
    while [ "$actions" -gt 0 ]; do
        set -- "$@" "$1"
        shift
        actions=$((actions - 1))
    done
    find . "$@"
}

# Sets pattern: the path $1 with find's wildcards escaped.
escape_pattern() {
    pattern=$1
    case $1 in
    *[]*?[\\]*) pattern=$(printf '%s\n' "$1" | sed 's/[]*?[\\]/\\&/g') ;;
    esac
}
