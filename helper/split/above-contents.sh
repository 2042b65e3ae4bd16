# split --above: what stat does not tell of two files.

# Files whose sums differ, links that lead elsewhere and other devices go into $work/lower/differ.
compare_contents() {
    lists=$work/lower/$lower_number
    choose_sums
    # The fastest of those that are proof, where it is there.
    if command -v b2sum >/dev/null; then sums=b2sum; fi
    case $sums in
    cksum) cat_list "$lists.files" ;;
    *) compare_told "$lists.files" "$sums" -- ;;
    esac
    case $told_by in
    find) compare_told "$lists.links" tell_targets ;;
    *) compare_told "$lists.links" stat -c %N -- ;;
    esac
    if command -v stat >/dev/null; then
        compare_told "$lists.devices" stat -c '%t:%T' --
    else
        cat_list "$lists.devices"
    fi
}

# All of the names in the file $1 count as others: they are written, which is right in any case.
cat_list() {
    if [ -e "$1" ]; then cat -- "$1" >>"$work/lower/differ"; fi
}

tell_targets() {
    find "$@" -maxdepth 0 -printf '%l\n'
}

# The names in the file $1 of which the command that follows says one thing in the root and another in the base.
compare_told() {
    [ -s "$1" ] || return 0
    names=$1
    shift
    (cd -- "$lower" && with_names "$names" "$@") >"$names.lower" &
    child=$!
    with_names "$names" "$@" >"$names.root" || die "cannot read all of $root"
    wait "$child" || die "cannot read all of $lower"
    compare_lines "$names" "$names.lower" >>"$work/lower/differ" || compare_each "$names" "$@"
}

# Prints the names in $1 where the lines of $1.root and $2 are not the same. Fails where names and lines are not as many.
compare_lines() {
    # shellcheck disable=SC2016
    layer_names=$1 layer_root=$1.root layer_lower=$2 awk 'BEGIN {
        while ((getline name < ENVIRON["layer_names"]) > 0) {
            if ((getline one < ENVIRON["layer_root"]) < 1) exit 1
            if ((getline other < ENVIRON["layer_lower"]) < 1) exit 1
            if (one "" != other "") print name
        }
        if ((getline one < ENVIRON["layer_root"]) > 0) exit 1
        if ((getline other < ENVIRON["layer_lower"]) > 0) exit 1
    }' </dev/null >"$1.differ" || return 1
    cat -- "$1.differ"
}

# The same one by one, for what is said in several lines: links may lead to names with a line break.
compare_each() {
    names=$1
    shift
    while IFS= read -r name; do
        one=$("$@" "$name" && echo .) || die "cannot read all of $root"
        other=$(cd -- "$lower" && "$@" "$name" && echo .) || die "cannot read all of $lower"
        [ "$one" = "$other" ] || printf '%s\n' "$name"
    done <"$names" >>"$work/lower/differ"
}

# Runs a command with the names in the file $1 behind its words, as many at once as surely fit.
with_names() (
    names=$1
    shift
    lines=$(wc -l <"$names")
    first=1
    set -f
    IFS=$newline
    while [ "$first" -le "$lines" ]; do
        # shellcheck disable=SC2046
        "$@" $(sed -n "$first,$((first + 1999))p;$((first + 1999))q" "$names") || exit 1
        first=$((first + 2000))
    done
)

# Extended attributes are compared where the tar at hand keeps them and tells of them: as it would archive them.
compare_attributes() {
    names=$work/lower/$lower_number.attributes
    [ "$tar_kind" = gnu ] && [ -s "$names" ] || return 0
    list_attributes "$names" >"$names.root" || die "cannot read all of $root"
    (cd -- "$lower" && list_attributes "$names") >"$names.lower" || die "cannot read all of $lower"
    # shellcheck disable=SC2016
    layer_names=$names layer_root=$names.root layer_lower=$names.lower layer_differ=$work/lower/differ awk 'BEGIN {
        while ((getline name < ENVIRON["layer_differ"]) > 0) differs[name] = 1
        while ((getline name < ENVIRON["layer_names"]) > 0) {
            getline one < ENVIRON["layer_root"]
            getline other < ENVIRON["layer_lower"]
            if (substr(one, 11, 1) substr(other, 11, 1) != "  " && !(name in differs)) print name
        }
    }' </dev/null >"$names.some" || die "cannot compare attributes"
    [ ! -s "$names.some" ] || compare_archives "$names.some" >>"$work/lower/differ"
}

# A line for each name, with a mark behind the mode where there are any. Nothing is read for it.
list_attributes() {
    run_plain_tar -vv -cf /dev/null -T "$1"
}

# Prints those of the names in $1 whose archives differ: where all do not, one half and then the other.
compare_archives() {
    one=$(sum_archive "$1") || die "cannot read all of $root"
    other=$(cd -- "$lower" && sum_archive "$1") || die "cannot read all of $lower"
    [ "$one" != "$other" ] || return 0
    lines=$(wc -l <"$1")
    if [ "$lines" -le 1 ]; then
        cat -- "$1"
        return
    fi
    half=$((lines / 2))
    sed "${half}q" "$1" >"$1.1"
    sed "1,${half}d" "$1" >"$1.2"
    compare_archives "$1.1"
    compare_archives "$1.2"
}

sum_archive() {
    run_plain_tar --mtime=@0 -cf - -T "$1" | $sums
}

# GNU tar without the attributes that no layer has (src/archive/tar/xattrs.ts).
run_plain_tar() {
    run_tar --xattrs-exclude=security.selinux --xattrs-exclude='trusted.overlay.*' --xattrs-exclude='user.overlay.*' \
        --pax-option=exthdr.name=%f --no-recursion "$@"
}
