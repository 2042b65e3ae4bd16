# split: the paths of the root, and what each layer holds.

# Writes $work/walk: a line for each path of the root, in bytewise order, but for those that
# have a line break in their names; for these it leaves $work/odd.
# Format: <device:inode> <links> <type and mode> <uid> <gid> <size> <mtime> <ctime> ./<path>
walk_root() {
    if [ "$root" = / ]; then find_exclusions / all; else find_exclusions "$root" own; fi
    hide_lowers
    choose_telling
    odd=$work/odd
    tell find_below >"$work/found" || die "cannot read all of $root"
    odd=
    TMPDIR=$work sort -t/ -k2 "$work/found" >"$work/walk" ||
        die "cannot sort the list of files, is the disk full?"
    rm -f -- "$work/found"
}

# Sets told_by, how find here says what stat says, and writes $work/now: that of a file made just before.
choose_telling() {
    TZ=UTC0
    export TZ
    : >"$work/clock"
    told_by="find"
    if ! find "$work/clock" -printf '%y%C@' >/dev/null 2>&1; then
        told_by="stat"
        command -v stat >/dev/null || die "$command needs stat or GNU find, install one of them"
    fi
    tell find "$work/clock" >"$work/now" || die "cannot read $work"
}

# Runs find, or a function that ends with it, so that it tells a line for each path.
tell() {
    case $told_by in
    find) "$@" -printf '%D:%i %n %y%m %U %G %s %T@ %C@ %p\n' ;;
    *) "$@" -exec stat -c '%d:%i %h x%f %u %g %s %y %z %n' {} + ;;
    esac
}

# Writes what each layer holds: <number>.list for tar, <number>.sig with what stat says, and a
# line for each layer in $work/plan:
# <number> TAB <bytes> TAB <odd or -> TAB <name, escaped> TAB <name, JSON>
plan_layers() {
    : >"$work/plan"
    : >"$work/hollow"
    : >"$work/planned"
    set -- mode=names "$base/names" mode=now "$work/now" mode=walk "$work/walk"
    for what in attributes map taken; do
        if [ -s "$work/$what" ]; then set -- "$@" mode=$what "$work/$what"; fi
    done
    if [ -n "$plan_file" ]; then set -- "$@" mode=plan "$plan_file"; fi
    if [ -r "$base/bin/history" ]; then set -- "$@" mode=history "$base/bin/history"; fi
    if [ -z "$told" ]; then
        for kind in $kinds; do
            if command -v "changes_$kind" >/dev/null; then "changes_$kind"; fi
        done >"$work/changes" 2>/dev/null || :
        set -- "$@" mode=changes "$work/changes"
    fi
    if [ -n "$lowers" ]; then
        set -- "$@" mode=stays "$work/lower/equal" mode=differs "$work/lower/differ" mode=gone "$work/lower/gone" \
            mode=owners "$work/lower/owners" mode=ways "$work/lower/ways"
    fi
    plan_work=$work
    asked=
    run_plan "$@"
    if [ -s "$work/refused" ]; then
        IFS= read -r line <"$work/refused"
        die "$line"
    fi
    if [ -n "$told" ]; then return; fi
    tell_notes
    [ -s "$work/plan" ] || [ -n "$lowers" ] || die "found nothing in $root to make a layer of"
}

# Runs the program with these files, and behind them those of the databases below the working directory. It writes into
# $plan_work: what the layers hold, or where asked is set whose the paths are that this file names.
run_plan() {
    for kind in $kinds; do
        find_files "$kind"
        # shellcheck disable=SC2086
        set -- "$@" $files
        if [ -e "$plan_work/$kind.listed" ]; then set -- "$@" "mode=$kind" "$plan_work/$kind.listed"; fi
    done
    # What is not there is no file to read.
    left=$#
    while [ "$left" -gt 0 ]; do
        case $1 in
        ./*) if [ -s "$1" ] && [ ! -d "$1" ]; then set -- "$@" "$1"; fi ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        left=$((left - 1))
    done
    layer_work=$plan_work layer_room=$room layer_emptied=$emptied layer_kinds=$kinds \
        layer_listed_kinds=$listed_kinds layer_found_kinds=$found_kinds layer_fixed=$fixed layer_asked=$asked \
        layer_told=$told layer_map=$map_file layer_most_bytes=$most_bytes \
        awk "$plan_program" "$@" || die "cannot plan the layers"
}

# What the plan has to say is no failure.
tell_notes() {
    [ -s "$work/notes" ] || return 0
    while IFS= read -r line; do
        printf 'layer: warning: %s\n' "$line" >&2
    done <"$work/notes"
}
