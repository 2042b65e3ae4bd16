#!/usr/bin/env bash
# Builds Containerfile.x on two builders, of which one dies in the middle; then two clients build one tag at once. Fails
# where anything but a whole image of one of the builds is in the registry. Needs root; exit status 77 says that it was
# left out, because this machine has not got what the machines are made of.
#   XBUILD       the command (default: the checkout's)
#   JOBS         how many stages are built at a time (default: 4)
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=../../scripts/cluster.sh
source ../../scripts/cluster.sh
# shellcheck source=../../scripts/example-builds.sh
source ../../scripts/example-builds.sh

if [[ ${1:-} != inside ]]; then
    left_out() {
        echo "cluster: left out: $*" >&2
        exit 77
    }
    for program in ip nsenter setpriv runc skopeo docker-registry busybox; do
        command -v "$program" >/dev/null || left_out "$program is missing"
    done
    can_make_houses || left_out "ip netns is not permitted here"
    status=0
    programs=$(bash ../../scripts/buildkit.sh) || status=$?
    ((status != 3)) || left_out "there is no BuildKit"
    ((status == 0)) || exit "$status"
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/xbuild-cluster.XXXXXX")
    cgroup=xbuild-cluster-$$
    trap 'remove_cgroups; rm -rf "$work"' EXIT
    in_a_house bash run.sh inside "$work" "$programs" "$cgroup"
    exit
fi

work=$2 programs=$3 cgroup=$4
export PATH=$programs:$PATH
read -ra command <<<"${XBUILD:-node $PWD/../../dist/cli/main.js}"
image=$registry_host/app:latest

# copy_context NAME [PART...]: the example's files, with another version of these parts.
copy_context() {
    mkdir "$work/$1"
    cp -r Containerfile.x make-part.sh parts "$work/$1"
    local part
    for part in "${@:2}"; do echo "$1" >"$work/$1/parts/$part"; done
}
flags() {
    printf '%s\n' --engine buildkit --builder "$(builder_address a),$(builder_address b)" --jobs "${JOBS:-4}" \
        --build-arg "BASE=$registry_host/base:1" -t "$image" --push
}
# client NAME CONTEXT: builds and pushes, as a machine that has a store of its own.
client() {
    local status=0 begin=$SECONDS
    mkdir -p "$work/client-$1/run"
    mapfile -t words < <(flags)
    XBUILD_STORE=$work/client-$1/store XDG_RUNTIME_DIR=$work/client-$1/run \
        "${command[@]}" "${words[@]}" --metadata-file "$work/$2.json" "$work/$2" >"$work/$2.log" 2>&1 || status=$?
    printf '   %s: exit status %d, %d s; stages that ran: %s\n' "$2" "$status" $((SECONDS - begin)) "$(stages_run "$2")"
    return "$status"
}
must_build() {
    client "$@" || {
        cat "$work/$2.log" >&2
        exit 1
    }
}
# when_at_work BUILDER: waits until one of its steps runs, and has run a moment.
when_at_work() {
    local before
    before=$(running_steps "$1")
    steps_are_more() { (($(running_steps "$1") > before)); }
    await "work on $1" steps_are_more "$1"
    sleep 0.5
}

pushed_digest() {
    local file=$work/manifest
    skopeo inspect --raw --tls-verify=false "docker://$image" >"$file"
    sha256sum "$file" | sed 's/ .*//;s/^/sha256:/'
}
# The tag is read all the time, and must never be anything but an image that a build has named.
watch_tag() {
    local tag=$work/registry/docker/registry/v2/repositories/app/_manifests/tags/latest/current/link
    while sleep 0.1; do echo "$(<"$tag")"; done >"$work/seen"
}
expect_seen() {
    local named
    named=$(for one in first second third left right; do field "$one" digest; done)
    expect "what was seen of the tag beside what builds have named" "$(sort -u "$work/seen" | grep -vxF "$named" || true)" ""
}
# expect_whole CONTEXT: what the registry has under the tag is the image of that context, in all its bytes: skopeo holds
# them against their digests, and what the layers have is compared with what the parts are made of here.
expect_whole() {
    local root=$work/pushed made=$work/made part layer
    rm -rf "$root" "$made" "$work/layout"
    mkdir "$root"
    expect "the tag's digest" "$(pushed_digest)" "$(field "$1" digest)"
    skopeo copy --quiet --src-tls-verify=false "docker://$image" "oci:$work/layout:app"
    for layer in $(skopeo inspect "oci:$work/layout:app" | sed -n 's/^ *"sha256:\([0-9a-f]*\)",\{0,1\}$/\1/p'); do
        tar -xzf "$work/layout/blobs/sha256/$layer" -C "$root"
    done
    for part in "$work/$1"/parts/*; do sh make-part.sh "${part##*/}" "$part" "$made"; done
    expect "what the parts of $1 have" "$(diff -r "$made/opt" "$root/opt" 2>&1)" ""
    cmp "$(command -v busybox)" "$root/bin/busybox"
}

open_house
start_registry_machine
add_machine a 2 77 78
add_machine b 3 77 78
start_builder a
start_builder b
push_busybox "$registry_host/base:1"

say "1. Eight parts, and the image of them, on two builders."
copy_context first
must_build one first
expect "layers: the base, and two of each part" "$(jsonOf first 'value.layers.length')" 17
expect_whole first
for builder in a b; do
    read -r bytes _ <<<"$(moved "$builder" 77)"
    echo "   out of builder $builder came $bytes bytes"
    # A part has 350 kB.
    ((bytes > 350000)) || expect "what $builder has made" "$bytes bytes" "at least one part"
done

watch_tag &

say "2. All parts have changed; in the middle builder b loses its power."
copy_context second auth billing catalog gateway mail media search web
client one second &
building=$!
when_at_work b
kill_builder b
expect "the tag meanwhile" "$(pushed_digest)" "$(field first digest)"
wait "$building" || { cat "$work/second.log" >&2; exit 1; }
grep -m 1 -o 'the builder tcp.* begins again on .*' "$work/second.log" | sed 's/^/   /'
expect_whole second

say "3. Of the other one nothing is heard any more: the build fails, and goes on when they are back."
copy_context third mail media search web
XBUILD_STALL_TIMEOUT=5 client one third &
building=$!
when_at_work a
pull_cable a
! wait "$building" || expect "the build" "went well" "fails, for there is no builder"
grep -m 1 -o 'error.builder-lost.*' "$work/third.log" | sed 's/^/   /'
expect "the tag" "$(pushed_digest)" "$(field second digest)"
plug_in a
start_builder b
must_build one third
expect_whole third

say "4. Two clients build the tag at once, each with another part changed."
copy_context left auth
copy_context right web
for name in left right; do cp -r "$work/client-one" "$work/client-$name"; done
client left left &
building=$!
client right right || { cat "$work/right.log" >&2; exit 1; }
wait "$building" || { cat "$work/left.log" >&2; exit 1; }
winner=left
[[ $(pushed_digest) == "$(field left digest)" ]] || winner=right
echo "   the tag has what $winner made"
expect_whole "$winner"
expect_seen
say "Done."
