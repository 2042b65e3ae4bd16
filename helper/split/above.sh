# split --above: what stands in the image below, and what of it is gone.

# Makes lowers, the directories that --above names, paths without links, one a line.
find_lowers() {
    [ -n "$lowers" ] || return 0
    number='s/.*"baseLayers"[[:space:]]*:[[:space:]]*\([0-9][0-9]*\).*/\1/p'
    below=$(sed -n "$number" "$base/history.json" 2>/dev/null | head -n 1) || below=
    [ "${below:-0}" -gt 0 ] ||
        die "--above has no image below, name it in the file: OUTPUT --from=IMAGE $base"
    named=$lowers
    lowers=
    IFS=$newline
    set -f
    for lower in $named; do
        find_place "$lower" ||
            die "no directory '$lower' for --above, mount the base there: RUN --mount=type=bind,from=IMAGE,target=$lower"
        case ${root%/}/ in
        "${place%/}/"*) die "--above '$lower' holds $root itself, mount the base beside it" ;;
        esac
        [ -n "$(ls -A -- "$place")" ] ||
            die "nothing is in '$lower', mount the base there: RUN --mount=type=bind,from=IMAGE,target=$lower"
        lowers=$lowers$place$newline
    done
    set +f
    unset IFS
}

# To find_exclusions: what shows the base is no part of the root.
hide_lowers() {
    IFS=$newline
    set -f
    for lower in $lowers; do
        exclude_path hidden "$root" "$lower"
    done
    set +f
    unset IFS
}

# Writes into $work/lower what plan_layers reads of the base: equal, differ, gone, owners and ways.
compare_lowers() {
    [ -n "$lowers" ] || return 0
    mkdir -- "$work/lower"
    for list in equal differ gone owners ways; do
        : >"$work/lower/$list"
    done
    each_lower walk_lower
    set --
    while [ $# -lt $((3 * lower_number)) ]; do
        number=$(($# / 3 + 1))
        set -- "$@" mode=view number_of_view=$number "$work/lower/$number.walk"
    done
    alike=
    # An overlay shows files with the inodes and times that they have where they lie.
    case $root:$root_type in
    /:overlay | "/:$fuse") alike=yes ;;
    esac
    layer_work=$work/lower layer_views=$lower_number layer_emptied=$emptied layer_fixed=$fixed layer_alike=$alike \
        awk "$compare_program" mode=now "$work/now" "$@" mode=root "$work/walk" mode=taken "$work/taken" ||
        die "cannot compare $root with its base"
    each_lower compare_contents
    each_lower compare_attributes
    compare_odd
    if [ -s "$work/lower/gone" ]; then each_lower name_owners; fi
}

# Calls the function $1 for each of lowers, with lower and lower_number set.
each_lower() {
    lower_number=0
    lowers_left=$lowers
    while [ -n "$lowers_left" ]; do
        lower=${lowers_left%%"$newline"*}
        lowers_left=${lowers_left#*"$newline"}
        lower_number=$((lower_number + 1))
        "$1"
    done
}

# As walk_root does: the same paths stay out.
walk_lower() {
    cd -- "$lower"
    own_starts=$starts
    keep_starts
    odd=$work/lower/$lower_number.odd
    tell find_below >"$work/found" || die "cannot read all of $lower"
    odd=
    starts=$own_starts
    cd -- "$root"
    TMPDIR=$work sort -t/ -k2 "$work/found" >"$work/lower/$lower_number.walk" ||
        die "cannot sort the list of files, is the disk full?"
    rm -f -- "$work/found"
}

# Of starts, those that are there.
keep_starts() {
    some=
    IFS=$newline
    set -f
    for point in $starts; do
        if [ -d "$point" ] && [ ! -L "$point" ]; then some=$some$point$newline; fi
    done
    set +f
    unset IFS
    starts=$some
}

# Writes into $work/lower/owners whose the paths were that are gone, as the databases of the base tell.
name_owners() {
    plan_work=$work/lower/$lower_number.plan
    mkdir -- "$plan_work" || die "cannot write in $layers"
    own_root=$root
    own_kinds=$kinds
    root=$lower
    cd -- "$root"
    kinds=
    for kind in $own_kinds; do
        if ! "has_$kind"; then continue; fi
        if command -v "list_$kind" >/dev/null; then
            # Where its program cannot read it there, nobody is known to have had them.
            ("list_$kind") >"$plan_work/$kind.listed" 2>/dev/null || continue
        fi
        kinds="$kinds $kind"
    done
    asked=$work/lower/gone
    run_plan mode=now "$work/now" mode=walk "$work/lower/$lower_number.walk"
    asked=
    if [ -e "$plan_work/owners" ]; then cat -- "$plan_work/owners" >>"$work/lower/owners"; fi
    root=$own_root
    kinds=$own_kinds
    cd -- "$root"
}

# Writes the whiteouts of the layer of this number.
stream_gone() (
    [ -s "$work/$1.gone" ] || exit 0
    umask 022
    list=$work/$1.gone.list
    mkdir -- "$work/$1.gone.d" || exit 1
    cd -- "$work/$1.gone.d" || exit 1
    while IFS= read -r path; do
        case $path in
        */*) folder=./${path%/*} ;;
        *) folder=. ;;
        esac
        [ -d "$folder" ] || mkdir -p -- "$folder" || exit 1
        : >"$folder/.wh.${path##*/}" || exit 1
        printf '%s\n' "$folder/.wh.${path##*/}"
    done <"$work/$1.gone" >"$list" || exit 1
    # A time that is the same in each build.
    with_names "$list" touch -t 197001010000 -- || exit 1
    with_names "$list" stream_part
)
