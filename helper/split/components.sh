# split: extended attributes.

# Writes $work/attributes, what getfattr says of the paths: those named user. alone. Nothing where there is none.
read_attributes() {
    : >"$work/attributes"
    command -v getfattr >/dev/null || return 0
    set -- getfattr -h -d
    # That of busybox writes all as it is.
    case $(getfattr --version 2>&1) in
    "getfattr "*) set -- "$@" -e text ;;
    esac
    # A link cannot have any; a file system may know none.
    find_below ! -type l -exec "$@" {} + >"$work/attributes" 2>/dev/null || :
}
