# The command line: what is asked for, and what is wrong with it.

main() {
    command=${1-}
    [ $# -eq 0 ] || shift
    case $command in
    keep) keep_layer "$@" ;;
    has) has_layer "$@" ;;
    add) add_layer "$@" ;;
    list) list_layers "$@" ;;
    each) each_path "$@" ;;
    split) split_root "$@" ;;
    plan) print_plan "$@" ;;
    kinds) tell_kinds "$@" ;;
    help | -h | --help) print_usage ;;
    '') misuse "no command given" ;;
    *) misuse "unknown command '$command'" ;;
    esac
}

print_usage() {
    name_kinds
    cat <<USAGE
usage: layer keep NAME                    keep the previous image's layer; exit 1 where there is none
       layer has NAME                     exit 0 where the previous image has it, else 1
       layer list                         the previous image's layer names, one a line
       layer add NAME [-C DIR] PATH...    a new layer from these paths
       layer add NAME - <TAR              a new layer from a tar stream
       layer each [-C DIR] PATH...        a layer for each path, those kept that have not changed
                                          (PATH/. means what is in it; --name 'app-{/}' names them)
       layer split [--max N] [--plan FILE] KIND ROOT
                                          a layer for each package of ROOT (--map FILE assigns paths,
                                          --max-layer-bytes 500m divides large layers, --above DIR leaves
                                          out what the image below has, which DIR shows)
       layer plan [--max N] KIND ROOT     the layers that split would make, as a file for --plan
       layer kinds [ROOT]                 which kinds split would find there, and why
KIND is auto, or one or more of $named with commas between
USAGE
}

# Sets named: the kinds of split as one says them.
name_kinds() {
    named=
    for kind in $listed_kinds $found_kinds; do
        named="$named, $kind"
    done
    named=${named#, }
    named="${named%, *} and ${named##*, }"
}

misuse() {
    printf 'layer: %s, see layer --help\n' "$1" >&2
    exit 2
}

die() {
    if [ -n "${said-}" ] && ! mkdir -- "$said" 2>/dev/null; then exit 1; fi
    printf 'layer: %s\n' "$1" >&2
    exit 1
}
