#!/usr/bin/env bash
# Builds programs of BuildKit and Docker from their Go modules, each once, and prints the directory that they are in:
#   buildkit  buildkitd and buildctl (the default)
#   buildx    buildx, which is both a program and, as the file that it is, a plugin of the docker command (docker-buildx)
#   dockerd   a dockerd with a BuildKit of these days in it; containerd and runc are the machine's
# They are what tests and benchmarks run against, and no part of the product. Exit status 3, with a line, where there is
# no Go that can build them, or where that fails.
# usage: buildkit.sh [buildkit|buildx|dockerd]
set -euo pipefail

cache=${XBUILD_TEST_CACHE:-$HOME/.cache/xbuild-tests}

main() {
    local part=$1 version=$2
    shift 2
    place=$cache/$part-$version
    if ! is_made "$@"; then
        check_go
        mkdir -p "$cache"
        # Two tests may want it at once.
        exec 9>"$cache/$part.lock"
        flock 9
        is_made "$@" || make "$part" "$version" "$@"
    fi
    echo "$place"
}

# Programs that earlier versions of this script made do not say which version they are: they lack the mark.
is_made() {
    local program
    for program in "$@" versions-set; do [[ -e $place/$program ]] || return 1; done
}

check_go() {
    local found
    found=$(go env GOVERSION 2>/dev/null) || found=
    [[ $found =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 24)) && return
    echo "no Go of 1.24 or newer is on PATH, which ${place##*/} is built with" >&2
    exit 3
}

make() {
    local part=$1 version=$2
    shift 2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    { "make_$part" "$version" "$@" && touch out/versions-set; } >"$work/log" 2>&1 || cannot "$part"
    rm -rf "$place"
    mv out "$place"
}

# Modules that are not to be had, above all: what stands in the way is said.
cannot() {
    echo "$1 cannot be built here ($(tail -n 1 "$work/log"))" >&2
    exit 3
}

# The modules' own go.mod have exclude and replace directives, so "go install" refuses them: in a module of ours these do
# not count.
make_buildkit() {
    make_of github.com/moby/buildkit "$@"
}

make_buildx() {
    make_of github.com/docker/buildx "$@"
    ln -s buildx out/docker-buildx
}

make_of() {
    local module=$1 version=$2 program
    shift 2
    go mod init peers
    for program in "$@"; do go get "$module/cmd/$program@v$version"; done
    for program in "$@"; do build "$program" "$module" "$module/version.Version=v$version"; done
}

# dockerd has no go.mod: which modules it is made of stands in a file of another name.
make_dockerd() {
    local version=$1 module=github.com/docker/docker source
    source=$(go mod download -json "$module@v$version+incompatible" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    sed 's/^module .*/module peers/' "$source/vendor.mod" >go.mod
    cp "$source/vendor.sum" go.sum
    chmod u+w go.sum
    go mod edit -require="$module@v$version+incompatible"
    build dockerd "$module" "$module/dockerversion.Version=$version" -mod=mod
}

# By the linker's flag a program says its version, as those that are released do: whoever asks for it is tested with that.
build() {
    local program=$1 module=$2 value=$3
    shift 3
    CGO_ENABLED=0 go build "$@" -trimpath -ldflags="-s -w -X $value" -o "out/$program" "$module/cmd/$program"
}

case "${1:-buildkit}" in
buildkit) main buildkit 0.34.2 buildkitd buildctl ;;
buildx) main buildx 0.38.2 buildx ;;
dockerd) main dockerd 28.5.2 dockerd ;;
*) echo "usage: buildkit.sh [buildkit|buildx|dockerd]" >&2; exit 125 ;;
esac
