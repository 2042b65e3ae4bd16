# Owners above 2097151 (seven octal digits) and times before 1970, where the tar at hand writes them wrong without a
# word: busybox cuts off an owner's upper digits and takes such a time for 1970, toybox writes it without its sign,
# and BSD tar is a second off where it has a fraction.

# Sets wide_format, what stat is asked for, and wide_pattern, what its line looks like for a path that may be one of
# them. Fails where the tar at hand has all right, or wide says that there are none.
describe_wide() {
    [ "${wide-}" != none ] || return 1
    wide_format='%u %g %Y %h %d:%i'
    wide_pattern='^[0-9]{7,} |^[0-9]+ [0-9]{7,} |^[0-9]+ [0-9]+ (-|[0-9]{11})'
    case $tar_kind in
    gnu*) return 1 ;;
    bsd)
        wide_format="$wide_format %y"
        wide_pattern='^[0-9]+ [0-9]+ -.*[.]0*[1-9]'
        ;;
    esac
    command -v stat >/dev/null && return 0
    case $tar_kind in
    bsd | unknown) return 1 ;;
    esac
    die "the tar at hand needs stat beside it, install it (busybox has it)"
}

# Whether one of these paths, or what is below them, is such a path.
holds_wide() {
    describe_wide || return 1
    for path in "$@"; do
        shift
        case $path in
        -*) path=./$path ;;
        esac
        set -- "$@" "$path"
    done
    # What is not there is for tar to say.
    find "$@" ! -type s -exec stat -c "$wide_format" -- {} + 2>/dev/null |
        grep -E "$wide_pattern" >/dev/null || return 1
    has_records || refuse_wide
}

# Sets wide: none, where the file $1 of walk_root has no such path. Dates are some hours off where a time zone is set.
search_wide() {
    date='-|1[0-8][0-9]{2}-|19([0-6][0-9]|70)-|[0-9]{11}'
    grep -E "^[^ ]+ [0-9]+ [^ ]+ ([0-9]{7,} |[0-9]+ ([0-9]{7,} |[0-9]+ [0-9]+ ($date)))" "$1" >/dev/null || wide=none
}

# Whether the tar at hand reads lists, so that our records can stand between.
has_records() {
    case $tar_kind in
    bsd | unknown) return 1 ;;
    esac
}

refuse_wide() {
    die "the tar at hand cannot write an owner above 2097151 or a time before 1970, install GNU tar"
}

# Refuses such paths in the file $1 where they get no record.
refuse_wide_list() {
    if ! describe_wide || has_records; then return 0; fi
    stat_list "$1" >"$1.stat" || die "cannot read all that is to be added"
    if grep -E "$wide_pattern" "$1.stat" >/dev/null; then refuse_wide; fi
}

# Refuses those with a line break in their names, which stand in no list.
refuse_wide_odd() {
    describe_wide || return 0
    if find_below -path "*$newline*" ! -type s -exec stat -c "$wide_format" -- {} + |
        grep -E "$wide_pattern" >/dev/null; then
        refuse_wide
    fi
}

# Writes parts for those of the paths in the file $1 that are such, each behind a record that says what is right,
# and takes them out of the file.
stream_wide() {
    if ! describe_wide || ! has_records || [ ! -s "$1" ]; then return 0; fi
    stat_list "$1" >"$1.stat" || return 1
    grep -E "$wide_pattern" "$1.stat" >/dev/null || return 0
    paste -d ' ' "$1.stat" "$1" >"$1.all" || return 1
    # By sed, for some greps print no line of a file that has bytes which are no UTF-8.
    sed -E -n "/$wide_pattern/p" "$1.all" | sort -k 5,5 >"$1.wide" || return 1
    sed -E "/$wide_pattern/d" "$1.all" | cut -d ' ' -f 6- >"$1" || return 1
    stream_groups "$1.wide"
}

# All names of a file stand in one part, or they would come out as copies.
stream_groups() {
    groups=$1
    shift
    group=
    while IFS= read -r line; do
        read_wide "$line"
        if [ $# -gt 0 ] && { [ "$links" = 1 ] || [ "$inode" != "$group" ]; }; then
            stream_recorded "$@" || return 1
            set --
        fi
        group=$inode
        set_records
        set -- "$@" "$path"
    done <"$groups"
    stream_recorded "$@"
}

# A line of stat for each path in the file $1.
stat_list() (
    lines=$(wc -l <"$1")
    first=1
    set -f
    IFS=$newline
    while [ "$first" -le "$lines" ]; do
        # shellcheck disable=SC2046
        stat -c "$wide_format" -- $(sed -n "$first,$((first + 1999))p;$((first + 1999))q" "$1") || exit 1
        first=$((first + 2000))
    done
)

# Takes a line apart: <uid> <gid> <time> <links> <inode> <path>
read_wide() {
    path=${1#* * * * * }
    numbers=${1%" $path"}
    inode=${numbers##* }
    numbers=${numbers%" $inode"}
    links=${numbers##* }
    numbers=${numbers% *}
    time=${numbers##* }
    numbers=${numbers% *}
    gid=${numbers#* }
    uid=${numbers% *}
    case $time in
    # What toybox's stat takes for a number without a sign is below 2^64 by that much.
    1844674407??????????) time=$((1${time#1844674407} - 13709551616)) ;;
    esac
    case $path in
    /* | ./*) ;;
    *) path=./$path ;;
    esac
}
