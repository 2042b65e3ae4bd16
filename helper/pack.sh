# add: the paths as given, around what is mounted below them.

# Packs the paths given, with what is below them, into $partial.
pack_paths() {
    relative=yes
    for path in "$@"; do
        case $path in
        /*) ;;
        *) relative=no ;;
        esac
    done
    # Without their slash no tar has a word to say about it.
    if [ "$relative" = yes ]; then
        cd /
        for path in "$@"; do
            shift
            without_root "$path"
            set -- "$@" "./$inner"
        done
    fi
    recall_tar
    if holds_mounts "$@" || holds_wide "$@"; then
        choose_tar
        pack_around_mounts "$@"
    elif ! run_tar -cf "$partial" -- "$@"; then
        is_other_tar || die "tar failed, nothing was added"
        pack_paths "$@"
    fi
}

# Sets inner: the path $1 without the slashes that it begins with.
without_root() {
    inner=$1
    while :; do
        case $inner in
        /*) inner=${inner#/} ;;
        *) break ;;
        esac
    done
}

# Whether a mount, or the layers directory, is below one of these paths.
holds_mounts() {
    learn_mounts
    is_above_mounts "$@"
}

learn_mounts() {
    resolve_base
    read_mounts || mounts=/proc$newline/sys$newline/dev$newline
}

is_above_mounts() {
    for path in "$@"; do
        if [ -L "$path" ] || [ ! -d "$path" ]; then continue; fi
        find_place "$path" || die "cannot read '$path'"
        case $newline$mounts$base$newline in
        *"$newline${place%/}/"[!"$newline"]*) return 0 ;;
        esac
    done
    return 1
}

# One find a path, because the mounts are named from there.
pack_around_mounts() {
    case "$*" in
    *"$newline"*) die "a name with a line break cannot be added here, add the directory that holds it by itself" ;;
    esac
    work=$scratch
    part=$work/part
    mkdir -- "$work" || die "cannot write in $layers"
    cd -P -- .
    begin=$PWD
    : >"$work/list"
    : >"$work/hollow"
    for path in "$@"; do
        cd -- "$begin"
        if [ -L "$path" ] || [ ! -d "$path" ]; then
            [ -e "$path" ] || [ -L "$path" ] || die "no '$path', nothing was added"
            printf '%s\n' "$path" >>"$work/list"
            continue
        fi
        find_place "$path" || die "cannot read '$path'"
        cd -- "$place"
        find_exclusions "$place" all
        [ -z "$(find_below -path "*$newline*" -print)" ] ||
            die "a name below '$path' holds a line break, add the directory that holds it by itself"
        find_below ! -type s -print >"$work/found" || die "cannot read all of '$path'"
        while IFS= read -r line; do
            case $newline$emptied in
            *"$newline$line$newline"*)
                owner=$(stat -c '%a %u %g' "$line" 2>/dev/null) || owner='755 0 0'
                printf '%s %s/\n' "$owner" "${path%/}${line#.}" >>"$work/hollow"
                ;;
            *) printf '%s\n' "${path%/}${line#.}" ;;
            esac
        done <"$work/found" >>"$work/list"
    done
    cd -- "$begin"
    refuse_wide_list "$work/list"
    if ! stream_hollow >"$partial" || ! stream_list "$work/list" >>"$partial"; then
        die "tar failed, nothing was added"
    fi
}
