#!/usr/bin/env bash
# What an upgrade does to the layers: Debian 12's release packages, then the same with its updates and
# security updates, both split by package. Tells which layers changed, and why.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh demo

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-upgrade.XXXXXX")
images=(localhost/xbuild-upgrade-before localhost/xbuild-upgrade-after localhost/xbuild-upgrade)
finish() {
    buildah rmi "${images[@]}" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
export XBUILD_STORE=$work/store BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
packages=${PACKAGES:-nginx-light,curl,python3-minimal}

# root NAME [APT-LINE]: an image of these packages from all of Debian 12's sources, or from one.
root() {
    mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$work/root.tar" ${2:+"$2"}
    printf 'FROM scratch\nADD root.tar /\n' | buildah build --quiet --layers=false -t "$1" -f - "$work" >/dev/null
}
echo "Making the upgraded system."
root localhost/xbuild-upgrade-after
release=$(tar -xOf "$work/root.tar" ./etc/apt/sources.list | grep -E ' bookworm main' | head -n 1)
tar -xOf "$work/root.tar" ./var/lib/dpkg/status >"$work/after.status"
echo "Making the system of the release alone."
root localhost/xbuild-upgrade-before "$release"
tar -xOf "$work/root.tar" ./var/lib/dpkg/status >"$work/before.status"

build() {
    node dist/cli/main.js --quiet --no-load -t localhost/xbuild-upgrade --build-arg "IMAGE=$1" \
        --metadata-file "$work/$2.json" examples/rechunk >/dev/null
}
build localhost/xbuild-upgrade-before before
build localhost/xbuild-upgrade-after after
node scripts/upgrade-report.mjs "$work"
