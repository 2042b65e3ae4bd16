#!/usr/bin/env bash
# Builds BuildKit's daemon and client from their Go modules, once, and prints the directory that they are in.
# They are peers of the benchmarks, and no part of the product. Without a Go that can build them it fails with a line.
set -euo pipefail

version=0.34.2
place="${XBUILD_TEST_CACHE:-$HOME/.cache/xbuild-tests}/buildkit-$version"
if [ -x "$place/buildkitd" ] && [ -x "$place/buildctl" ]; then
    echo "$place"
    exit
fi
command -v go >/dev/null || { echo "no go on PATH, which BuildKit is built with" >&2; exit 1; }

# The module's own go.mod has exclude directives, so "go install" refuses it: in a module of ours they do not count.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{
    go mod init peers
    go get "github.com/moby/buildkit/cmd/buildkitd@v$version" "github.com/moby/buildkit/cmd/buildctl@v$version"
    for program in buildkitd buildctl; do
        CGO_ENABLED=0 go build -o "out/$program" "github.com/moby/buildkit/cmd/$program"
    done
} >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
mkdir -p "$(dirname "$place")"
rm -rf "$place"
mv out "$place"
echo "$place"
