#!/usr/bin/env bash
# Two machines and a registry: what a build moves where nothing but the registry remembers the last one.
# Each machine is a store and an engine's storage of its own, empty at first. All numbers are counted, and
# it fails where they are not what README.md says.
#   XBUILD       the command (default: the checkout's)
#   BASE_IMAGE   a Debian 12 in the engine's storage (default: made with mmdebstrap where it is not there)
set -euo pipefail
# What skopeo remembers of registries has one place on a machine, as root: in a mount namespace it can be
# one for each of ours.
if [[ $(id -u) == 0 && -z ${OWN_NAMESPACE:-} ]]; then OWN_NAMESPACE=1 exec unshare --mount bash "$0" "$@"; fi
cd "$(dirname "$0")"
read -ra command <<<"${XBUILD:-node $PWD/../../dist/cli/main.js}"
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

if ! command -v docker-registry >/dev/null; then
    echo "docker-registry is missing. As root: apt-get install -y docker-registry" >&2
    exit 1
fi
base=${BASE_IMAGE:-localhost/xbuild-demo-base}
[[ -n ${BASE_IMAGE:-} ]] || bash ../../scripts/base-image.sh "$base"

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-cold.XXXXXX")
started=()
cache=/var/lib/containers/cache
finish() {
    ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
    if [[ $(id -u) == 0 ]]; then
        umount "$cache" "$work"/*/graph/overlay 2>/dev/null || true
        rm -rf "$work"
    else
        buildah unshare rm -rf "$work"
    fi
}
trap finish EXIT

# The registry, and the proxy in front of it; each takes a free port and says which.
# find_port FILE PATTERN: waits until the file says the port.
find_port() {
    for _ in {1..100}; do
        if grep -q -E "$2" "$1"; then
            sed -n -E "s/.*$2.*/\1/p" "$1" | head -n 1
            return
        fi
        sleep 0.1
    done
    echo "$1 tells no port:" >&2
    cat "$1" >&2
    return 1
}
printf '{"version": 0.1, "log": {"accesslog": {"disabled": true}}, "http": {"addr": "127.0.0.1:0"}, "storage": {"filesystem": {"rootdirectory": "%s"}}}\n' "$work/registry" >"$work/registry.json"
docker-registry serve "$work/registry.json" 2>"$work/registry.log" &
started+=($!)
port=$(find_port "$work/registry.log" 'listening on 127\.0\.0\.1:([0-9]+)')
touch "$work/proxy.log"
node count-bytes.mjs "$port" "$work/count" >"$work/proxy.log" &
started+=($!)
registry=127.0.0.1:$(find_port "$work/proxy.log" '^([0-9]+)$')
# Past the proxy: it is no part of what is measured.
buildah push --quiet --tls-verify=false "$base" "docker://127.0.0.1:$port/debian:bookworm"

# machine NAME: from here on we are on a machine that has nothing.
machine() {
    local root=$work/$1
    mkdir -p "$root/cache"
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$root/graph" "$root/run" >"$root/storage.conf"
    export CONTAINERS_STORAGE_CONF=$root/storage.conf XBUILD_STORE=$root/store
    if [[ $(id -u) == 0 ]]; then
        mkdir -p "$cache"
        umount "$cache" 2>/dev/null || true
        mount --bind "$root/cache" "$cache"
    else
        export XDG_DATA_HOME=$root/cache
    fi
}
# build NAME REPOSITORY [FLAG...]: builds, pushes, and sets down, up and seconds.
build() {
    local begin=$SECONDS
    echo "0 0" >"$work/count"
    "${command[@]}" -t "$registry/$2" --push --tls-verify=false --build-arg "BASE=$registry/debian:bookworm" \
        --metadata-file "$work/$1.json" "${@:3}" . >"$work/$1.log" 2>&1 || { cat "$work/$1.log" >&2; exit 1; }
    read -r down up <"$work/count"
    seconds=$((SECONDS - begin))
}
say() { printf '\n%s\n' "$*"; }
tell() { printf '   %10d bytes down, %10d bytes up, %d s\n' "$down" "$up" "$seconds"; }
# at_most WHAT NUMBER LIMIT
at_most() {
    if (($2 > $3)); then
        echo "ci-cold-cache: $1: $2 bytes, expected at most $3" >&2
        exit 1
    fi
}
equal() {
    if [[ $2 != "$3" ]]; then
        printf 'ci-cold-cache: %s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
}
engine_has() { buildah images --quiet && buildah containers --quiet; }
field() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]]' "$work/$1.json" "$2"; }
count_layers() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).layers.length' "$work/$1.json"; }
# Bytes of manifest and config; of the layers.
size_of() { skopeo inspect --tls-verify=false --raw "$@" "docker://127.0.0.1:$port/$image" | wc -c; }
documents() { local image=$1; echo $(($(size_of) + $(size_of --config))); }
layers_of() {
    skopeo inspect --tls-verify=false --raw "docker://127.0.0.1:$port/$1" |
        node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).layers.reduce((sum, one) => sum + one.size, 0)'
}
base_size=$(layers_of debian:bookworm)

say "Machine 1 builds the image, $registry/app:main, and pushes it."
machine one
build first app:main
tell
echo "   (the base image comes down, $base_size bytes; all layers go up)"

say "Machine 2 has nothing. Nothing changed."
machine two
build same app:main
tell
equal "the same image" "$(field same digest) $(field same upToDate)" "$(field first digest) true"
equal "nothing in the engine's storage" "$(engine_has)" ""
at_most "down, nothing changed" "$down" $((4 * $(documents app:main) + 512 * $(count_layers first)))
# The registry is asked whether it still has every layer.
at_most "up, nothing changed" "$up" $((16384 + 256 * $(count_layers first)))
echo "   (manifests and configs; nothing was built, and the engine has pulled nothing)"

say "Machine 3 has nothing. One package more: jq."
machine three
build more app:main --build-arg "PACKAGES=nginx-light jq"
tell
changed=$(node compare.mjs "$work/first.json" "$work/more.json")
read -r all new bytes <<<"$changed"
documents=$(documents app:main)
headers=$((up - bytes - documents))
echo "   ($new of $all layers are new and went up, $bytes bytes; manifest and config, $documents bytes; $headers"
echo "   bytes are HTTP's: each of the $all layers is asked for. Down came the base image, to build on: without"
echo "   its layers it was $((down - base_size)) bytes)"
at_most "up, one package more" "$up" $((bytes + documents + 640 * all + 2048 * new))
at_most "down, one package more" "$down" $((base_size + 5 * documents + 512 * all))

say "Machine 4 has nothing. The same as a branch of its own, in another repository of the registry."
machine four
build branch team/branch:fix --cache-from "$registry/app:main" --build-arg "PACKAGES=nginx-light jq"
tell
equal "the same image" "$(field branch digest) $(field branch upToDate)" "$(field more digest) true"
equal "nothing in the engine's storage" "$(engine_has)" ""
at_most "up, another repository" "$up" $((documents + 896 * all))
at_most "down, another repository" "$down" $((5 * documents + 1024 * all))
echo "   (the registry took all $all layers over from app; no layer went up or came down)"
say "Done."
