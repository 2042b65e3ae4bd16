# split: a layer for each package of a root.

split_root() {
    plan_split "$@"
    open_state "$kinds $root"
    decide_layers
    if [ -n "$odd_names" ]; then refuse_wide_odd; fi
    search_wide "$work/walk"
    while read -r number _; do
        refuse_wide_list "$work/$number.list"
    done <"$work/jobs"
    pack_layers pack_listed
    publish_layers
}

# plan: what split would make, as a file for --plan.
print_plan() {
    plan_split "$@"
    cat -- "$work/planned"
}

# Looks at the root, and sets what layers there are to be.
plan_split() {
    read_split_line "$@"
    check_kinds
    check_split_tools
    find_base
    resolve_base
    find_plan_file
    find_place "$root" || die "no directory '$root' to split"
    root=$place
    find_lowers
    open_output
    find_map
    cd -- "$root"
    choose_kinds
    count_room
    reserve_directory
    choose_tar
    [ "$tar_kind" != unknown ] || die "split needs GNU, BSD, busybox or toybox tar, install one of them"
    [ -z "$map_file" ] || cat -- "$map_place" >"$work/map" || die "cannot read $map_file"
    list_kinds
    walk_root
    list_taken
    compare_lowers
    read_attributes
    plan_layers
}

# Sets kinds, root, and what the options say: at_most (layers), most_bytes (of a layer), map_file, plan_file, lowers
# (directories that show the image below, one a line).
read_split_line() {
    kinds=
    root=
    at_most=
    most_bytes=
    map_file=
    plan_file=
    lowers=
    while [ $# -gt 0 ]; do
        case $1 in
        --max | --max-layer-bytes | --map | --plan | --above)
            [ $# -ge 2 ] || misuse "$1 takes a value"
            read_split_option "$1" "$2"
            shift
            ;;
        --max=* | --max-layer-bytes=* | --map=* | --plan=* | --above=*) read_split_option "${1%%=*}" "${1#*=}" ;;
        --) ;;
        -*) misuse "unknown option '$1' of $command" ;;
        *)
            if [ -z "$kinds" ]; then
                kinds=$1
            elif [ -z "$root" ]; then
                root=$1
            else
                misuse "$command takes one kind and one root"
            fi
            ;;
        esac
        shift
    done
    [ -n "$root" ] || misuse "$command takes a kind and a root, as in: layer $command auto /"
    case $at_most in
    *[!0-9]* | 0) misuse "--max takes a number from 1" ;;
    esac
    [ -z "$most_bytes" ] || read_bytes
}

# Makes a number of most_bytes.
read_bytes() {
    number=${most_bytes%[bkmgBKMG]}
    case $number in
    '' | 0* | *[!0-9]* | ????????????*)
        misuse "--max-layer-bytes takes a number of bytes from 1, or of k, m or g, as in 500m"
        ;;
    esac
    case $most_bytes in
    ???????*[gG] | ??????????*[mM]) misuse "--max-layer-bytes is more than a file system holds" ;;
    *[kK]) number=$((number * 1024)) ;;
    *[mM]) number=$((number * 1048576)) ;;
    *[gG]) number=$((number * 1073741824)) ;;
    esac
    most_bytes=$number
}

# Sets map_place, the map as a path that holds anywhere.
find_map() {
    [ -n "$map_file" ] || return 0
    map_place=$map_file
    case $map_file in
    /*) ;;
    *) map_place=$PWD/$map_file ;;
    esac
    if [ ! -r "$map_place" ] || [ -d "$map_place" ]; then die "cannot read the map '$map_file'"; fi
}

# Makes plan_file absolute, for the root will be the working directory.
find_plan_file() {
    [ -n "$plan_file" ] || return 0
    if [ ! -f "$plan_file" ] || [ ! -r "$plan_file" ]; then die "cannot read the plan '$plan_file'"; fi
    case $plan_file in
    /*) ;;
    *) plan_file=$PWD/$plan_file ;;
    esac
}

read_split_option() {
    case $1 in
    --max) at_most=$2 ;;
    --max-layer-bytes) most_bytes=$2 ;;
    --map) map_file=$2 ;;
    --plan) plan_file=$2 ;;
    --above)
        case $2 in
        '' | *"$newline"*) misuse "--above takes a directory" ;;
        esac
        lowers=$lowers$2$newline
        ;;
    esac
}

# The layer of this number, from its list.
pack_listed() {
    stream_listed "$@" >"$work/$unique-$1.tar" || die "tar failed, nothing was added"
}

stream_listed() {
    if [ "$2" = odd ]; then
        stream_hollow || return 1
        stream_odd || return 1
    fi
    stream_gone "$1" || return 1
    stream_list "$work/$1.list"
}

check_split_tools() {
    [ "$(id -u)" = 0 ] ||
        die "split reads the files of every user, put USER root before its RUN"
    check_tools awk find sort
}

check_tools() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "$command needs $tool, install it (busybox has it)"
    done
}

# Sets room: how many layers this call may list.
count_room() {
    number='s/.*"maxLayers"[[:space:]]*:[[:space:]]*\([0-9][0-9]*\).*/\1/p'
    room=$(sed -n "$number" "$base/history.json" 2>/dev/null | head -n 1) || room=
    room=${room:-127}
    limit=$room
    if [ -f "$output/history.jsonl" ]; then
        listed=$(grep -c -e '"path"' -e '"digest"' "$output/history.jsonl") || :
        room=$((room - listed))
    fi
    [ "$room" -gt 0 ] || die "all $limit layers that this image may have are listed, raise --max-layers"
    if [ -n "$at_most" ] && [ "$at_most" -lt "$room" ]; then room=$at_most; fi
}

# Sets unique and work, a directory that is ours alone, on the file system of the result.
reserve_directory() {
    clean_up_at_exit
    counter=0
    while :; do
        unique=$command-$$-$counter
        counter=$((counter + 1))
        for taken in "$layers/$unique"-*.tar "$layers/.$unique"; do
            if [ -e "$taken" ]; then continue 2; fi
        done
        if mkdir -- "$layers/.$unique" 2>/dev/null; then break; fi
        [ -e "$layers/.$unique" ] || die "cannot write in $layers"
    done
    work=$layers/.$unique
}
