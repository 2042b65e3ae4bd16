# each: trees of which xbuild has seen that they are as they were.

# Sets known, a file with a line for each path: <mark or -> <signature or -> <path>. The mark says what xbuild has found
# at the path, the signature what such a tree was signed with. Where a step can write nobody knows what it has written.
recall_trees() {
    if [ ! -r "$base/bin/trees" ] || ! read_view; then return 0; fi
    find_state "$state_name-trees"
    tell find "$@" -prune >"$work/tops" || die "cannot read all of the paths"
    layer_view=$view awk "$trees_program" mode=old "$found_state" mode=trees "$base/bin/trees" \
        mode=mounts /proc/self/mountinfo mode=places "$work/places" mode=tops "$work/tops" \
        mode=paths "$work/paths" mode=shown "$work/shown" >"$work/known" || die "cannot compare the paths"
    known=$work/known
}

# Sets view: with other IDs the owners of the same files are others. Fails where /proc is not mounted.
read_view() {
    view=
    for map in uid_map gid_map; do
        [ -r "/proc/self/$map" ] || return 1
        while read -r inside outside length; do
            view="$view $inside:$outside:$length"
        done <"/proc/self/$map"
        view="$view,"
    done
}
