# Which tar there is, asked once a build: the answer stands in output/, where the next call finds it.

# Sets tar_kind. Where GNU tar was found it is taken for that, and is_other_tar asks where that is wrong. Of busybox and
# toybox it is seen that tar is still the same program.
recall_tar() {
    tar_kind=
    if [ -r "$output/.layer-tar" ]; then
        IFS= read -r tar_kind <"$output/.layer-tar" || tar_kind=
    fi
    case $tar_kind in
    gnu) return ;;
    busybox | busybox-small) is_program tar busybox && return ;;
    toybox) is_program tar toybox && return ;;
    esac
    ask_tar
}

# Sets tar_kind, and remembers it.
ask_tar() {
    choose_tar
    { printf '%s\n' "$tar_kind" >"$output/.layer-tar"; } 2>/dev/null || :
}

# Whether tar is no longer what was remembered: then a failure says nothing, and tar_kind is what it is.
is_other_tar() {
    remembered=$tar_kind
    ask_tar
    [ "$tar_kind" != "$remembered" ]
}

# Whether the programs of these names are one file.
is_program() {
    find_program "$2" || return 1
    other=$program
    find_program "$1" && [ "$program" -ef "$other" ]
}

# Sets program: its path. "command -v" would need a fork.
find_program() {
    set -f
    IFS=:
    for program in ${PATH-}; do
        program=${program:-.}/$1
        if [ -f "$program" ] && [ -x "$program" ]; then
            set +f
            unset IFS
            return 0
        fi
    done
    set +f
    unset IFS
    return 1
}
