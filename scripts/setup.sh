#!/usr/bin/env bash
# Installs what is missing: Debian packages (as root; else it prints the command) and npm packages,
# and builds the tool. Run again, it finds everything there and does nothing.
# usage: setup.sh demo|image|test
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
demo) programs="buildah skopeo mmdebstrap flock unshare" ;;
image) programs="skopeo dpkg-deb eu-strip" ;;
test) programs="buildah podman skopeo umoci mmdebstrap flock setpriv prlimit unshare zstd docker-registry openssl bsdtar busybox toybox runc newuidmap slirp4netns fuse-overlayfs setcap getfattr python3 shellcheck tmux rpmbuild git xz bzip2 mksquashfs gem composer make" ;;
*) echo "usage: setup.sh demo|image|test" >&2; exit 125 ;;
esac

# The Debian package of a program, where it has another name.
package_of() {
    case "$1" in
    flock | setpriv | prlimit | unshare) echo util-linux ;;
    bsdtar) echo libarchive-tools ;;
    busybox) echo busybox-static ;;
    newuidmap) echo uidmap ;;
    setcap) echo libcap2-bin ;;
    dpkg-deb) echo dpkg ;;
    eu-strip) echo elfutils ;;
    getfattr) echo attr ;;
    rpmbuild) echo rpm ;;
    xz) echo xz-utils ;;
    mksquashfs) echo squashfs-tools ;;
    gem) echo ruby ;;
    *) echo "$1" ;;
    esac
}

missing=()
for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || missing+=("$(package_of "$program")")
done
# A busybox that is not static cannot run in an empty root.
if [[ $1 == test ]] && ! dpkg -s busybox-static >/dev/null 2>&1; then missing+=(busybox-static); fi
# Without these plugins buildah and podman warn at every call.
if [[ ! -e /usr/lib/cni/bridge && ! -e /usr/libexec/cni/bridge ]]; then missing+=(containernetworking-plugins); fi

if ((${#missing[@]} > 0)); then
    if [[ $(id -u) != 0 ]]; then
        echo "Some programs are missing. As root, run:" >&2
        echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [[ ! -e node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
    echo "Installing npm packages"
    npm ci --no-fund --no-audit --loglevel=error
elif [[ ! -e dist/cli/main.js || -n $(find src grammar helper scripts/build.mjs scripts/bundle.mjs scripts/write-code.mjs scripts/join-helper.mjs package.json -newer dist/cli/main.js -print -quit) ]]; then
    npm run -s build
fi
