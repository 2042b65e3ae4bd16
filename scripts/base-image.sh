#!/usr/bin/env bash
# Makes a minimal Debian 12 as an image in the engine's storage, for where no registry is reachable.
# Does nothing where the image is there already.
# usage: base-image.sh NAME [PACKAGE...]
set -euo pipefail
name=$1
shift
if buildah inspect --type image "$name" >/dev/null 2>&1; then exit 0; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-base.XXXXXX")
trap 'rm -rf "$work"' EXIT
packages=$(IFS=,; echo "$*")
echo "Making $name with mmdebstrap (half a minute)."
mmdebstrap --quiet --variant=minbase ${packages:+--include="$packages"} bookworm "$work/base.tar"
printf 'FROM scratch\nADD base.tar /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nCMD ["/bin/bash"]\n' |
    BUILDAH_ISOLATION=chroot buildah build --quiet --layers=false -t "$name" -f - "$work" >/dev/null
