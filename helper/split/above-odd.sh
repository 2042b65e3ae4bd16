# split --above: names with a line break, which stand in no list.

# Where all are in the base as they are here, none is written; else all are, and the directories above them are in
# $work/lower/ways.
compare_odd() {
    each_lower remove_odd
    if [ ! -e "$work/odd" ] && [ ! -d "$work/odd.gone" ]; then return; fi
    list_odd || die "cannot read all of $root"
    if [ ! -d "$work/odd.gone" ] && [ "$lower_number:$tar_kind" = 1:gnu ] && eval "is_same_odd $words"; then
        rm -f -- "$work/odd"
        return
    fi
    : >"$work/odd"
    tell_ways >"$work/lower/ways" || die "cannot read all of $root"
}

# Whether each of these names comes out of tar as it does in the base.
is_same_odd() {
    lower=${lowers%"$newline"}
    for name in "$@"; do
        one=$(sum_odd "$name")
        other=$(cd -- "$lower" && sum_odd "$name")
        [ "$one" = "$other" ] || return 1
    done
}

# What one of them lacks has another sum.
sum_odd() {
    run_plain_tar --mtime=@0 -cf - -- "$1" 2>/dev/null | $sums
}

# The last directory above each that has no line break in its path; an empty line for the root.
tell_ways() (
    # shellcheck disable=SC2016
    tell_way='
        for name do
            name=${name%%"$0"*}
            name=${name%/*}
            name=${name#.}
            printf "%s\n" "${name#/}"
        done'
    find_below -path "*$newline*" ! -type s -exec sh -c "$tell_way" "$newline" {} + || exit 1
    if [ -d "$work/odd.gone" ]; then
        cd -- "$work/odd.gone" && find . -type f -exec sh -c "$tell_way" "$newline" {} +
    fi
)

# Makes whiteouts, below $work/odd.gone, for those of $lower that the root lacks: of a tree for the uppermost path.
# Where that has no line break it is among those that lists tell of; what stands below a link or a file is gone with it.
remove_odd() {
    [ -e "$work/lower/$lower_number.odd" ] || return 0
    # shellcheck disable=SC2016
    remove='
        umask 022
        for name do
            rest=${name#./}
            folder=
            while :; do
                part=${rest%%/*}
                path=$layer_root/$folder$part
                if [ ! -e "$path" ] && [ ! -L "$path" ]; then
                    case $folder$part in
                    *"$0"*)
                        mkdir -p -- "$layer_gone/$folder" || exit 1
                        : >"$layer_gone/$folder.wh.$part" || exit 1
                        touch -t 197001010000 -- "$layer_gone/$folder.wh.$part" || exit 1
                        ;;
                    esac
                    break
                fi
                if [ -L "$path" ] || [ ! -d "$path" ] || [ "$rest" = "$part" ]; then break; fi
                folder=$folder$part/
                rest=${rest#*/}
            done
        done'
    (
        cd -- "$lower" || exit 1
        keep_starts
        layer_root=${root%/}
        layer_gone=$work/odd.gone
        export layer_root layer_gone
        find_below -path "*$newline*" ! -type s -exec sh -c "$remove" "$newline" {} +
    ) || die "cannot compare all of $lower"
}
