# The previous image: <path>/names.

# Sets base, the directory that OUTPUT names, as an absolute path.
find_base() {
    if [ -n "${XBUILD_LAYERS-}" ]; then
        base=$XBUILD_LAYERS
    else
        self=$0
        if [ -L "$self" ]; then self=$(readlink -f -- "$self"); fi
        case $self in
        /*/bin/layer) base=${self%/bin/layer} ;;
        */*) base=${self%/*}/.. ;;
        *) base=.. ;;
        esac
    fi
    case $base in
    /*) ;;
    *) base=$PWD/$base ;;
    esac
    [ -d "$base" ] || die "no directory '$base', set XBUILD_LAYERS or run the helper from its own place"
    [ -r "$base/names" ] ||
        die "cannot read $base/names, run the helper in a RUN that comes after OUTPUT"
}

# Makes base the path that has no links in it, as mounts are told of.
resolve_base() {
    find_place "$base" || die "no directory '$base', set XBUILD_LAYERS or run the helper from its own place"
    base=$place
}

# Sets place: the directory $1 without links. The working directory is what it was, which forks only where no path
# leads back.
find_place() {
    case $1 in
    /*) place=$1 ;;
    *) place=./$1 ;;
    esac
    if cd -P -- . 2>/dev/null && [ . -ef "$PWD" ]; then
        origin=$PWD
        cd -P -- "$place" 2>/dev/null || return 1
        place=$PWD
        cd -- "$origin" || die "cannot change back to '$origin'"
    else
        place=$(cd -P -- "$place" 2>/dev/null && pwd -P) || return 1
    fi
}

# Sets digest for the name $1; fails where no previous image has it. bin/names.sh says for most names the same as the
# file names, which a shell reads byte by byte.
find_layer() {
    find_base
    digest=
    unlisted=yes
    if [ -r "$base/bin/names.sh" ] && [ ! "$base/names" -nt "$base/bin/names.sh" ]; then
        # shellcheck source=/dev/null
        . "$base/bin/names.sh"
    fi
    [ -z "$digest" ] || return 0
    [ -n "$unlisted" ] || return 1
    escape_name "$1"
    while IFS=$tab read -r a_digest _diff_id _blob a_name || [ -n "$a_name" ]; do
        if [ "$a_name" = "$escaped" ]; then digest=$a_digest; fi
    done <"$base/names"
    [ -n "$digest" ]
}
