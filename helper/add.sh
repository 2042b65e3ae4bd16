# add: a new layer of paths, or of a stream.

add_layer() {
    [ $# -ge 2 ] || misuse "add takes a name and paths, or a name and -"
    layer_name=$1
    [ -n "$layer_name" ] || misuse "add takes a name that is not empty"
    shift
    directory=
    case $1 in
    -C)
        [ $# -ge 3 ] || misuse "add -C takes a directory and paths"
        directory=$2
        shift 2
        ;;
    -C?*)
        directory=${1#-C}
        shift
        ;;
    esac
    if [ "${1-}" = -- ]; then shift; fi
    [ $# -ge 1 ] || misuse "add takes at least one path"
    [ "$*" != - ] || [ -z "$directory" ] || misuse "add NAME - takes no directory"
    open_output
    reserve_file
    if [ "$*" = - ]; then
        copy_stream
    else
        [ -z "$directory" ] || cd -- "$directory" 2>/dev/null || die "cannot change to '$directory'"
        pack_paths "$@"
    fi
    mv -- "$partial" "$layers/$unique$suffix" || die "cannot write the layer"
    partial=
    quote_json "$layer_name"
    append_entry "{\"created_by\":$quoted,\"path\":\"layers/$unique$suffix\"}"
}
