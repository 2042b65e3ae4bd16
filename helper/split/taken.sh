# split: the paths that earlier calls of the helper in this build have put into layers.

# Writes $work/taken: for each such layer a line "layer TAB <escaped or plain> TAB <digest or -> TAB <name, JSON>", then
# one for each path, behind a blank. The next build finds it in its state.
list_taken() {
    : >"$work/taken"
    [ -s "$output/history.jsonl" ] || return 0
    : >"$work/none"
    last=$base/bin/last
    [ -r "$last" ] || last=$work/none
    find_state taken
    set -- mode=names "$base/names" mode="last" "$last"
    for state in "$output/state/split-"*; do
        if [ -f "$state" ]; then set -- "$@" mode=split "$state"; fi
    done
    layer_work=$work awk "$history_program" "$@" mode=state "$found_state" mode=history "$output/history.jsonl" \
        >"$work/unlisted" || die "cannot read output/history.jsonl"
    case $tar_kind in
    gnu* | bsd) writing=escaped ;;
    *) writing=plain ;;
    esac
    while IFS= read -r line; do
        list_tar "${line%%"$tab"*}" >"$work/listed" 2>/dev/null || continue
        printf 'layer\t%s\t%s\n' "$writing" "${line#*"$tab"}"
        sed 's/^/ /' "$work/listed"
    done <"$work/unlisted" >>"$work/taken"
}

# The names in a tar. One that cannot be read, or not surely, has none.
list_tar() (
    cd -- "$base" && [ -r "$1" ] || exit 1
    case $tar_kind in
    gnu*) tar --quoting-style=escape -tf "$1" ;;
    bsd) tar -tf "$1" ;;
    *)
        # Where it does not see by itself that an archive is compressed, it has to be told.
        for how in t tz; do
            tar "-${how}vf" "$1" >"$work/verbose" || continue
            # A name with a line break is two lines.
            if grep -q -v '^[-dlhcbps][-rwxsStT]\{9\} ' "$work/verbose"; then exit 1; fi
            tar "-${how}f" "$1"
            exit
        done
        exit 1
        ;;
    esac
)
