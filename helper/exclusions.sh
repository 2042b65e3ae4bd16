# What stays out of a layer because of mounts, and find without it.

# Sets hidden, the paths below the directory $1 that stay out with all that is in them; emptied,
# the directories whose contents do; and starts, the places below those where the image's own files
# are all the same. All are relative to $1, one a line. "all" as $2 leaves other mounts out as well.
find_exclusions() {
    hidden=
    emptied=
    starts=
    exclude_path hidden "$1" "$base"
    # Whatever the root is, something that is mounted there may be of a fixed file system.
    reads_mounts=
    if read_mounts; then reads_mounts=yes; fi
    [ "$2" = all ] || return 0
    if [ "$reads_mounts" ]; then
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
        for point in $volumes; do
            if is_behind "$point" "$1"; then exclude_path starts "$1" "$point"; fi
        done
        for point in $unclear; do
            refuse_unclear "$1" "$point"
        done
        set +f
        unset IFS
    else
        # What an engine mounts on files cannot be told from the image's own.
        for point in /etc/hosts /etc/resolv.conf /run/.containerenv; do
            exclude_path hidden "$1" "$point"
        done
    fi
    # What it says is of no machine but the one that made the image, and engines do not agree on whether they mount it.
    exclude_path hidden "$1" /etc/hostname
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
    starts) starts=$starts./$below$newline ;;
    esac
}

# Whether what is mounted at $1 stands in a mount whose contents stay out of the directory $2.
is_behind() {
    above=$1
    while :; do
        above=${above%/*}
        case $above in
        '' | "$2") return 1 ;;
        esac
        case $newline$volumes in
        *"$newline$above$newline"*) return 1 ;;
        esac
        case $newline$mounts in
        *"$newline$above$newline"*) return 0 ;;
        esac
    done
}

# fuse-overlayfs says of no mount what it is over. What is empty cannot be lost.
refuse_unclear() {
    case $2 in
    "${1%/}"/*) ;;
    *) return 0 ;;
    esac
    if [ ! -d "$2" ] || [ -z "$(ls -A -- "$2")" ]; then return 0; fi
    die "cannot tell whether $2 shows files of the image, put its VOLUME before OUTPUT or mount it without O and rw"
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
    # The places where it starts stand before all.
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- . $starts "$@"
    set +f
    unset IFS
    find "$@"
}

# Sets pattern: the path $1 with find's wildcards escaped.
escape_pattern() {
    pattern=$1
    case $1 in
    *[]*?[\\]*) pattern=$(printf '%s\n' "$1" | sed 's/[]*?[\\]/\\&/g') ;;
    esac
}
