# What no list for tar can hold: mount points, and names with a line break.

# The mount points in $work/hollow stay as empty directories. What they were before the mount
# cannot be seen: each is made anew in $work/hollow.d. A line is <mode> <uid> <gid> ./<path>/
stream_hollow() (
    mkdir -- "$work/hollow.d" || exit 1
    cd -- "$work/hollow.d" || exit 1
    : >"$work/hollow.list"
    while read -r mode uid gid path; do
        path=${path%/}
        case $path in
        ./proc | ./sys | ./dev) mode=755 uid=0 gid=0 ;;
        esac
        # 65534 is an owner from outside of a rootless container.
        [ "$uid" != 65534 ] || uid=0
        [ "$gid" != 65534 ] || gid=0
        mkdir -p -- "$path" || exit 1
        chown "$uid:$gid" "$path" || exit 1
        chmod "$mode" "$path" || exit 1
        printf '%s\n' "$path" >>"$work/hollow.list"
    done <"$work/hollow"
    stream_wide "$work/hollow.list" || exit 1
    set -f
    IFS=$newline
    # shellcheck disable=SC2046
    set -- $(cat -- "$work/hollow.list")
    unset IFS
    [ $# -eq 0 ] || stream_part "$@"
)

# The names that no list can hold, those with a line break, and the whiteouts of such names.
stream_odd() {
    [ -e "$work/odd" ] || return 0
    list_odd || return 1
    [ -z "$words" ] || eval "stream_part $words" || return 1
    [ -d "$work/odd.gone" ] || return 0
    (
        cd -- "$work/odd.gone" || exit 1
        list_odd || exit 1
        eval "stream_part $words"
    )
}

# Sets words: the names with a line break as words that the shell reads back.
list_odd() {
    # shellcheck disable=SC2016
    words=$(find_below -path "*$newline*" ! -type s -exec sh -c '
        for name do
            quoted=
            while :; do
                case $name in
                *"$0"*) quoted=$quoted${name%%"$0"*}"$0\\$0$0" name=${name#*"$0"} ;;
                *) break ;;
                esac
            done
            printf "%s" " $0$quoted$name$0"
        done' "'" {} +) || return 1
}
