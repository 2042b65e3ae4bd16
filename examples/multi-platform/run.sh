#!/usr/bin/env bash
# Builds for two platforms on one, pushes the index to a registry of its own, changes what one platform has, and
# pushes again. It fails where more is built or moved than README.md says.
#   XBUILD       the command (default: the checkout's)
#   BASE_IMAGE   a Debian 12 in the engine's storage (default: made with mmdebstrap where it is not there)
set -euo pipefail
cd "$(dirname "$0")"
read -ra command <<<"${XBUILD:-node $PWD/../../dist/cli/main.js}"
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
base=${BASE_IMAGE:-localhost/xbuild-demo-base}
[[ -n ${BASE_IMAGE:-} ]] || bash ../../scripts/base-image.sh "$base"

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-platforms.XXXXXX")
registry_pid=
finish() {
    [[ -z $registry_pid ]] || kill "$registry_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
export XBUILD_STORE=$work/store
# shellcheck source=../../scripts/example-builds.sh
source ../../scripts/example-builds.sh

# A copy, whose files may be changed. npm installs packages for other platforms when it is told to.
context=$work/context
cp -r . "$context"
(cd "$context/npm" && npm ci --silent --force --no-fund --no-audit)
start_registry
image=$registry_host/esbuild:latest

# platforms NAME [FLAG...]: builds for both and pushes, and tells what ran and what the registry did not have.
platforms() {
    local begin=$SECONDS
    registry_blobs >"$work/before"
    build "$1" -t "$image" --push --tls-verify=false --platform linux/amd64,linux/arm64 --jobs 4 \
        --build-arg "BASE=$base" "${@:2}" "$context"
    registry_blobs >"$work/after"
    sent=$(comm -13 "$work/before" "$work/after" | wc -l)
    printf '   %d s; stages that ran: %s\n   blobs that the registry did not have: %d\n' \
        $((SECONDS - begin)) "$(stages_run "$1")" "$sent"
}
# of NAME ARCHITECTURE FIELD
of() { jsonOf "$1" "value.platforms.find((one) => one.platform.architecture === '$2').$3"; }
layer() { of "$1" "$2" "layers.find((layer) => layer.name === '$3').digest"; }

say "1. Two platforms. Nothing comes from a cache."
platforms first --no-cache
expect "app ran once, the others for each platform" "$(stages_run first | tr ' ' '\n' | cut -d : -f 2 | sort | uniq -c | xargs)" \
    "1 app 2 config 2 esbuild 2 release"
expect "both have the same app" "$(layer first arm64 app)" "$(layer first amd64 app)"
# Two manifests, two configs, two esbuilds, two configurations, one app, and the index.
expect "sent" "$sent" 10

say "2. Nothing changed."
platforms same
expect "nothing ran" "$(stages_run same)" ""
expect "nothing sent" "$sent" 0
expect "the same index" "$(field same digest)" "$(field first digest)"

say "3. Another configuration of arm64."
echo '{ "target": "node24" }' >"$context/config/arm64.json"
platforms changed
expect "of amd64 nothing ran" "$(stages_run changed)" "linux/arm64:config linux/arm64:release"
expect "the image of amd64 is the same" "$(of changed amd64 digest)" "$(of first amd64 digest)"
expect "sent: a layer, config and manifest, and the index" "$sent" 4

say "4. What the registry has, as other tools see it:"
skopeo inspect --raw --tls-verify=false "docker://$image" |
    node -e 'for (const { platform, digest } of JSON.parse(fs.readFileSync(0)).manifests) console.log(`   ${platform.os}/${platform.architecture} ${digest}`)'
for architecture in amd64 arm64; do
    skopeo copy --quiet --src-tls-verify=false --override-arch "$architecture" "docker://$image" "oci:$work/$architecture:x"
    manifest=$(of changed "$architecture" digest)
    layer=$(layer changed "$architecture" esbuild)
    expect "$architecture" "$(skopeo inspect --raw "oci:$work/$architecture:x" | sha256sum | cut -d ' ' -f 1)" "${manifest#*:}"
    # e_machine of the ELF header: which processor the program is for.
    tar -xzOf "$work/$architecture/blobs/sha256/${layer#*:}" usr/local/bin/esbuild >"$work/esbuild"
    machine=$(od -An -t x1 -j 18 -N 1 "$work/esbuild" | tr -d ' ')
    expect "the program is for $architecture" "$machine" "$([[ $architecture == amd64 ]] && echo 3e || echo b7)"
done
say "Done."
