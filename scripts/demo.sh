#!/usr/bin/env bash
# The main job on real input, told in plain words: an image with a layer for each Debian package.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh demo

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-demo.XXXXXX")
finish() {
    [[ -z ${container:-} ]] || buildah rm "$container" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT

say() { printf '\n%s\n' "$*"; }
xbuild() { node dist/cli/main.js "$@"; }
layers_of() { node -e 'for (const l of JSON.parse(require("fs").readFileSync(process.argv[1])).layers) console.log(l.digest, l.name)' "$1"; }

export XBUILD_STORE=$work/store
image=localhost/xbuild-demo
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

say "1. A base image."
base=localhost/xbuild-demo-base
if buildah inspect --type image "$base" >/dev/null 2>&1; then
    echo "$base is here already."
elif timeout 60 buildah pull --quiet docker.io/library/debian:bookworm-slim >/dev/null 2>&1; then
    buildah tag docker.io/library/debian:bookworm-slim "$base"
    echo "Pulled debian:bookworm-slim."
else
    echo "No registry can be reached."
    bash scripts/base-image.sh "$base"
fi

example=examples/debian-packages
say "2. First build: nginx on Debian, one layer for each package ($example/Containerfile.x)."
xbuild -t "$image" --build-arg "BASE=$base" --metadata-file "$work/first.json" "$example"

say "3. The same build again. Nothing changed, so nothing is built and the digest is the same."
xbuild -t "$image" --build-arg "BASE=$base" --metadata-file "$work/again.json" "$example"

say "4. One more package: curl (and what it needs)."
xbuild -t "$image" --build-arg "BASE=$base" --build-arg "PACKAGES=nginx-light curl" --metadata-file "$work/second.json" "$example"

layers_of "$work/first.json" | sort >"$work/first"
layers_of "$work/second.json" | sort >"$work/second"
say "5. What became of the layers:"
echo "   $(comm -12 "$work/first" "$work/second" | wc -l) layers have the digest that they had: a registry or a machine that has the old image needs none of them again."
echo "   New, or changed:"
comm -13 "$work/first" "$work/second" | sed 's/^[^ ]* /     + /'
echo "   Gone:"
comm -23 "$work/first" "$work/second" | sed 's/^[^ ]* /     - /'

say "6. The image is an ordinary one. Programs of it run:"
container=$(buildah from --pull-never "$image")
buildah run "$container" -- sh -c 'curl --version | head -n 1; nginx -v; nginx -t' 2>&1

say "7. And every tool reads the store: skopeo inspect oci:\$XBUILD_STORE:$image:latest"
skopeo inspect "oci:$XBUILD_STORE:$image:latest" | node -e '
const image = JSON.parse(require("fs").readFileSync(0)); console.log(`   ${image.Layers.length} layers, made ${image.Created}`);'
buildah rmi "$image" >/dev/null 2>&1 || true
say "Done."
