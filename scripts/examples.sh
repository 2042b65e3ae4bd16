#!/usr/bin/env bash
# Builds every example as its page says, twice with a change between, and checks what the page promises.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-examples.XXXXXX")
finish() {
    buildah rmi "${images[@]/#/localhost/}" >/dev/null 2>&1 || true
    rm -rf "$work"
}
images=(example-busybox example-nix example-rechunk example-node)
trap finish EXIT
export XBUILD_STORE=$work/store
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

# build NAME EXAMPLE [FLAG...]: builds a copy of an example, whose files may be changed between builds.
build() {
    local name=$1 example=$2
    shift 2
    node dist/cli/main.js --quiet -t "$name" --metadata-file "$work/$name.json" "$@" "$work/$example" >/dev/null
}
statuses() { node -e 'for (const l of JSON.parse(require("fs").readFileSync(process.argv[1])).layers) console.log(l.status, l.name)' "$work/$1.json"; }
run() {
    local container
    container=$(buildah from --pull-never "$1")
    shift
    buildah run "$container" -- "$@"
    buildah rm "$container" >/dev/null
}
expect() {
    if [[ $2 != "$3" ]]; then
        printf 'examples: %s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
}
cp -r examples/* "$work/"

echo "== busybox"
cp "$(command -v busybox)" "$work/busybox/busybox"
build example-busybox busybox
expect "layers" "$(statuses example-busybox)" $'new busybox\nnew site'
echo "<p>changed" >>"$work/busybox/site/index.html"
build example-busybox busybox
expect "the page's layer alone is new" "$(statuses example-busybox)" $'equal busybox\nnew site'
expect "the page" "$(run example-busybox cat /srv/www/index.html | tail -n 1)" "<p>changed"

echo "== nix-closure"
bash scripts/base-image.sh localhost/xbuild-base-nix nix-bin busybox-static
build example-nix nix-closure --build-arg BASE=localhost/xbuild-base-nix
expect "three store paths" "$(statuses example-nix | cut -d ' ' -f 1 | sort | uniq -c | tr -s ' ')" " 3 new"
hello=$(node -e 'console.log(JSON.parse(require("fs").readFileSync(process.argv[1])).config.Entrypoint[0])' <(skopeo inspect --config --raw containers-storage:localhost/example-nix:latest))
expect "the program" "$(run example-nix "$hello")" "Hello from a Nix closure"
build example-nix nix-closure --build-arg BASE=localhost/xbuild-base-nix --build-arg "GREETING=Good evening"
expect "the shell is kept" "$(statuses example-nix | sed 's/ .*-\(shell\|greeting\|hello\)/ \1/' | sort)" $'kept shell-1.0\nnew greeting-1.0\nnew hello-1.0'

echo "== rechunk"
bash scripts/base-image.sh localhost/xbuild-demo-base
build example-rechunk rechunk --build-arg IMAGE=localhost/xbuild-demo-base
count=$(statuses example-rechunk | wc -l)
((count > 60)) || expect "a layer a package" "$count" "more than 60"
expect "bash runs" "$(run example-rechunk bash -c 'echo $BASH' | tail -n 1)" "/usr/bin/bash"

echo "== node-app"
bash scripts/base-image.sh localhost/xbuild-base-node nodejs
(cd "$work/node-app" && npm ci --silent --no-fund --no-audit)
build example-node node-app --build-arg BASE=localhost/xbuild-base-node
expect "npm packages have layers" "$(statuses example-node | grep -c -E 'is-number|left-pad')" "2"
expect "the program" "$(run example-node node /app/index.js)" "      42 is a number"
echo 'console.log("again");' >>"$work/node-app/index.js"
build example-node node-app --build-arg BASE=localhost/xbuild-base-node
expect "one layer is new" "$(statuses example-node | grep -c '^new')" "1"

echo "== ci-cold-cache"
bash examples/ci-cold-cache/run.sh

for example in devcontainer-features builder multi-platform; do
    echo "== $example"
    bash "examples/$example/run.sh"
done

echo "== cluster"
status=0
bash examples/cluster/run.sh || status=$?
# It has said why it was left out.
((status == 0 || status == 77)) || exit "$status"

echo "All examples do what their pages say."
