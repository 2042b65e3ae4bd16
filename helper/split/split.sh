# split: a layer for each package of a root.

split_root() {
    kinds=
    root=
    at_most=
    while [ $# -gt 0 ]; do
        case $1 in
        --max)
            [ $# -ge 2 ] || misuse "--max takes a number"
            at_most=$2
            shift
            ;;
        --max=*) at_most=${1#--max=} ;;
        --) ;;
        -*) misuse "unknown option '$1' of split" ;;
        *)
            if [ -z "$kinds" ]; then
                kinds=$1
            elif [ -z "$root" ]; then
                root=$1
            else
                misuse "split takes one kind and one root"
            fi
            ;;
        esac
        shift
    done
    [ -n "$root" ] || misuse "split takes a kind and a root, as in: layer split auto /"
    case $at_most in
    *[!0-9]* | 0) misuse "--max takes a number from 1" ;;
    esac
    check_kinds
    check_split_tools
    find_base
    root=$(cd -P -- "$root" 2>/dev/null && pwd -P) || die "no directory '$root' to split"
    open_output
    cd -- "$root"
    choose_kinds
    count_room
    reserve_directory
    choose_tar
    [ "$tar_kind" != unknown ] || die "split needs GNU, BSD, busybox or toybox tar, install one of them"
    list_kinds
    walk_root
    plan_layers
    decide_layers
    pack_layers
    publish_layers
}

check_split_tools() {
    [ "$(id -u)" = 0 ] ||
        die "split reads the files of every user, put USER root before its RUN"
    for tool in awk find sort; do
        command -v "$tool" >/dev/null || die "split needs $tool, install it (busybox has it)"
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
        unique=split-$$-$counter
        counter=$((counter + 1))
        for taken in "$layers/$unique"-*.tar "$layers/.$unique"; do
            if [ -e "$taken" ]; then continue 2; fi
        done
        if mkdir -- "$layers/.$unique" 2>/dev/null; then break; fi
        [ -e "$layers/.$unique" ] || die "cannot write in $layers"
    done
    work=$layers/.$unique
}
