# The previous image: <path>/names.

# Sets base, the directory that OUTPUT names.
find_base() {
    if [ -n "${XBUILD_LAYERS-}" ]; then
        base=$XBUILD_LAYERS
    else
        self=$0
        if [ -L "$self" ]; then self=$(readlink -f -- "$self"); fi
        case $self in
        */*) base=${self%/*}/.. ;;
        *) base=.. ;;
        esac
    fi
    base=$(cd -P -- "$base" 2>/dev/null && pwd -P) ||
        die "no directory '$base', set XBUILD_LAYERS or run the helper from its own place"
    [ -r "$base/names" ] ||
        die "cannot read $base/names, run the helper in a RUN that comes after OUTPUT"
}

# Sets digest for the name $1; fails where no previous image has it.
find_layer() {
    find_base
    escape_name "$1"
    digest=
    while IFS=$tab read -r a_digest _diff_id _blob a_name || [ -n "$a_name" ]; do
        if [ "$a_name" = "$escaped" ]; then digest=$a_digest; fi
    done <"$base/names"
    [ -n "$digest" ]
}
