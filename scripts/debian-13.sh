#!/usr/bin/env bash
# Runs a command in a Debian 13 with its own engines (buildah 1.39, podman 5.4, skopeo 1.18, Node 20.19), this checkout
# being its working directory. As root. What the command changes there is gone afterwards, the checkout apart.
# The system is made by mmdebstrap once (half a minute) and kept in .cache/; remove it there for newer packages.
# usage: debian-13.sh [--programs DIR] COMMAND...     DIR stands first in PATH: other builds of the engines
set -euo pipefail
script=$(realpath "$0")
checkout=$(dirname "$(dirname "$script")")
system=$checkout/.cache/debian-13

packages=(
    # What is tested.
    buildah podman skopeo nodejs netavark aardvark-dns passt crun runc uidmap slirp4netns fuse-overlayfs
    # What the tests use.
    busybox-static ca-certificates docker-registry git libarchive-tools libcap2-bin mmdebstrap openssl procps python3
    rpm tmux toybox umoci zstd attr
)

main() {
    local programs=
    if [[ ${1:-} == --programs ]]; then
        programs=$(realpath "$2")
        shift 2
    fi
    if [[ $# == 0 || $(id -u) != 0 ]]; then
        echo "usage, as root: debian-13.sh [--programs DIR] COMMAND..." >&2
        exit 125
    fi
    make_system
    # A mount namespace, and a PID namespace whose end ends all that is in it: so no mount outlives this call, and
    # nothing is ever removed through one.
    room=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-debian-13.XXXXXX")
    trap 'rmdir "$room"' EXIT
    isolate "$script" inside "$room" "$programs" "$@"
}

isolate() {
    unshare --mount --propagation private --pid --fork --kill-child bash "$@"
}

# Made beside its place, so that what stands there is whole. The list of packages is its version.
make_system() {
    local wanted=${packages[*]}
    if [[ -e $system/etc/xbuild-packages && $(<"$system/etc/xbuild-packages") == "$wanted" ]]; then return; fi
    echo "Making Debian 13 with mmdebstrap (half a minute)."
    mkdir -p "$checkout/.cache"
    remove_system "$system"
    local unfinished=$system.$$
    # mmdebstrap mounts /proc and others in it: in a namespace of its own, even if it is killed.
    isolate "$script" make "$unfinished" "${packages[@]}" || { remove_system "$unfinished"; exit 1; }
    mv -T "$unfinished" "$system"
}

make_inside() {
    local target=$1 list
    shift
    list=$(IFS=,; echo "$*")
    mmdebstrap --quiet --variant=minbase --include="$list" trixie "$target"
    echo "$*" >"$target/etc/xbuild-packages"
}

# Nothing is mounted below it: and if something is, it is left, with all that is in it.
remove_system() {
    [[ -e $1 ]] || return 0
    if grep -qF " $1/" /proc/self/mountinfo; then
        echo "Something is mounted below $1: unmount it first." >&2
        exit 1
    fi
    rm -rf --one-file-system "$1"
}

# In the namespaces. Not by exec: the first process of a PID namespace has to take in those that lose their parents.
inside() {
    local room=$1 programs=$2 root=$1/root
    shift 2
    mount -t tmpfs -o mode=0755 tmpfs "$room"
    mkdir "$room"/{root,upper,work}
    mount -t overlay -o "lowerdir=$system,upperdir=$room/upper,workdir=$room/work" overlay "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    # Storages of engines: overlay cannot stand on overlay.
    for place in tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$place"; done
    for place in home root run var/lib/containers; do
        mkdir -p "$root/$place"
        mount -t tmpfs -o mode=0755 tmpfs "$root/$place"
    done
    bind "$checkout" "$root/xbuild"
    [[ -z $programs ]] || bind "$programs" "$root/opt/programs"
    # npm is a program in JavaScript: this machine's does, on that system's Node.
    bind "$(npm root --global)/npm" "$root/opt/npm"
    ln -s /opt/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    write_settings "$root"
    enter "$root"
    local status=0
    env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 ${CI:+CI=$CI} BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}" \
        PATH="/opt/programs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        sh -c 'cd /xbuild && exec "$@"' sh "$@" || status=$?
    return $status
}

# Not by chroot: nobody who is in one may make a user namespace, which rootless engines need.
enter() {
    cd "$1"
    mkdir .old
    pivot_root . .old
    cd /
    hash -r
    umount --lazy /.old
    rmdir /.old
}

bind() {
    mkdir -p "$2"
    mount --bind "$1" "$2"
}

# The engines' default limits are above what a container of a CI machine may have.
write_settings() {
    mkdir -p "$1/etc/containers"
    printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
        "$(ulimit -Hn)" "$(ulimit -Hn)" "$(ulimit -Hu)" "$(ulimit -Hu)" |
        sed 's/unlimited/-1/g' >"$1/etc/containers/containers.conf"
    cp /etc/resolv.conf "$1/etc/resolv.conf"
}

case "${1:-}" in
make) shift && make_inside "$@" ;;
inside) shift && inside "$@" ;;
*) main "$@" ;;
esac
