#!/usr/bin/env bash
# Composes the builder, pushes it to a registry of its own, changes one part, and pushes again. It fails where more
# moves than README.md says.
#   XBUILD       the command (default: the checkout's)
#   JOBS         how many parts are built at a time (default: 4)
set -euo pipefail
cd "$(dirname "$0")"
read -ra command <<<"${XBUILD:-node $PWD/../../dist/cli/main.js}"
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-builder.XXXXXX")
registry_pid=
image=
finish() {
    [[ -z $registry_pid ]] || kill "$registry_pid" 2>/dev/null || true
    [[ -z $image ]] || buildah rmi "$image" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
export XBUILD_STORE=$work/store
# shellcheck source=../../scripts/example-builds.sh
source ../../scripts/example-builds.sh

# A copy, whose files may be changed.
context=$work/context
cp -r . "$context"
cp "$(command -v busybox)" "$context/busybox"
sh make-parts.sh buildpacks.tsv "$context"
expect "Containerfile.x is what compose.sh writes" "$(sh compose.sh buildpacks.tsv)" "$(cat Containerfile.x)"
start_registry
image=$registry_host/builder:latest

# builder NAME [FLAG...]: builds and pushes, and tells what ran and what the registry did not have.
builder() {
    local begin=$SECONDS
    registry_blobs >"$work/before"
    build "$1" -t "$image" --push --tls-verify=false --jobs "${JOBS:-4}" "${@:2}" "$context"
    registry_blobs >"$work/after"
    sent=$(comm -13 "$work/before" "$work/after" | wc -l)
    ran=$(stages_run "$1" | wc -w)
    printf '   %d s; stages that ran: %d; layers: %d; blobs that the registry did not have: %d\n' \
        $((SECONDS - begin)) "$ran" "$(jsonOf "$1" 'value.layers.length')" "$sent"
}

say "1. Twenty parts, and the builder of them. Nothing comes from a cache."
builder first --no-cache
expect "a layer for each part" "$(jsonOf first 'value.layers.length')" 20
expect "each part and the builder ran" "$ran" 21
# Manifest and config are blobs, too.
expect "sent" "$sent" 22

say "2. One buildpack has another version of its script: go-build, the 14th part."
echo 'echo "built with go" >"$layer/built-by"' >>"$context/buildpacks/go-build/bin/build"
builder changed
new=$(new_layers first changed)
echo "   new: $new"
expect "the part and the builder ran" "$(stages_run changed)" "builder go-build"
expect "one layer is new" "$new" "go-build-2.4.1"
expect "sent: the layer, manifest and config" "$sent" 3

say "3. Another order of the parts, by the list of --from alone."
sed -i -e '/--from=procfile /d' -e 's/^    --from=lifecycle .$/&\n    --from=procfile \\/' "$context/Containerfile.x"
builder moved
expect "the builder alone ran" "$(stages_run moved)" "builder"
expect "sent: manifest and config" "$sent" 2

say "4. The builder builds: an application in Go."
buildah pull --quiet --tls-verify=false "$image" >/dev/null
container=$(buildah from --pull-never "$image")
built=$(buildah run "$container" -- sh -c 'echo "module app" >go.mod; echo "package main" >main.go; creator; cat /layers/go-build/built-by')
buildah rm "$container" >/dev/null
echo "$built" | sed 's/^/   /'
expect "the buildpacks of Go" "$built" $'example/go-dist 2.7.4\nexample/go-build 2.4.1\nbuilt with go'
say "Done."
