# The tar at hand, and streams of lists of paths.

# Sets tar_kind: what the tar at hand is and can.
choose_tar() {
    tar_help=$(tar --version 2>&1) || :
    case $tar_help in
    *"GNU tar"*)
        tar_kind=gnu-old
        # From 1.29 on it has all of these, and knows so before it shows its version.
        if tar --xattrs --xattrs-include='*' --verbatim-files-from --version >/dev/null 2>&1; then
            tar_kind=gnu
        fi
        ;;
    *bsdtar*) tar_kind=bsd ;;
    *toybox*) tar_kind=toybox ;;
    '' | *"not found"*) die "no tar in this container, install one" ;;
    *)
        # How much of it busybox has was chosen when it was compiled.
        tar_help=$(tar --help 2>&1) || :
        case $tar_help in
        *"-T FILE"*--no-recursion*) tar_kind=busybox ;;
        *--no-recursion*) tar_kind=busybox-small ;;
        *) tar_kind=unknown ;;
        esac
        ;;
    esac
}

# The tar at hand with numeric owners and all that it can keep; the format is its own.
run_tar() {
    case $tar_kind in
    gnu) run_gnu_tar --xattrs --xattrs-include='*' --verbatim-files-from "$@" ;;
    gnu-old) run_gnu_tar "$@" ;;
    bsd) tar --format=pax --numeric-owner "$@" ;;
    unknown) tar "$@" ;;
    *) tar --numeric-owner "$@" ;;
    esac
}

# It would read backslashes in names as escapes.
run_gnu_tar() {
    tar --format=posix --pax-option=delete=atime,delete=ctime --sparse --numeric-owner --no-unquote "$@"
}

# Writes a tar of the paths in the file $1: they themselves, not what is below them.
stream_list() {
    stream_wide "$1" || return 1
    if [ ! -s "$1" ]; then
        blocks=128
        while [ "$blocks" -gt 0 ]; do
            printf '\000\000\000\000\000\000\000\000'
            blocks=$((blocks - 1))
        done
        return
    fi
    case $tar_kind in
    busybox-small) stream_parts "$1" ;;
    bsd) run_tar -n -cf - -T "$1" ;;
    *) run_tar --no-recursion -cf - -T "$1" ;;
    esac
}

# For a tar that reads no list: the names as arguments, as many at once as surely fit.
stream_parts() (
    lines=$(wc -l <"$1")
    first=1
    set -f
    IFS=$newline
    while [ $((first + 1999)) -lt "$lines" ]; do
        # shellcheck disable=SC2046
        stream_part $(sed -n "$first,$((first + 1999))p;$((first + 1999))q" "$1") || exit 1
        first=$((first + 2000))
    done
    # shellcheck disable=SC2046
    run_tar --no-recursion -cf - $(sed -n "$first,\$p" "$1")
)

# Writes a tar of these paths without its end, two empty blocks, so that another may follow.
stream_part() {
    case $tar_kind in
    gnu*) run_tar -b 1 --no-recursion -cf "$part" "$@" || return 1 ;;
    bsd) run_tar -b 1 -n -cf "$part" "$@" || return 1 ;;
    *) run_tar --no-recursion -cf "$part" "$@" || return 1 ;;
    esac
    if tail -c 1024 "$part" | od -An -v -tx1 | grep -q '[1-9a-f]'; then return 1; fi
    head -c "$(($(wc -c <"$part") - 1024))" "$part"
}
