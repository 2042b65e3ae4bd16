#!/usr/bin/env bash
# What becomes of the features' layers when one feature changes, goes, or comes. It fails where that is not
# what README.md says.
#   XBUILD       the command (default: the checkout's)
#   BASE_IMAGE   a Debian 12 in the engine's storage (default: made with mmdebstrap where it is not there)
#   JOBS         how many stages are built at a time (default: 4)
set -euo pipefail
cd "$(dirname "$0")"
read -ra command <<<"${XBUILD:-node $PWD/../../dist/cli/main.js}"
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
base=${BASE_IMAGE:-localhost/xbuild-demo-base}
[[ -n ${BASE_IMAGE:-} ]] || bash ../../scripts/base-image.sh "$base"
(cd npm && npm ci --silent --no-fund --no-audit)

work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-features.XXXXXX")
image=localhost/example-features
finish() {
    buildah rmi "$image" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
export XBUILD_STORE=$work/store
# shellcheck source=../../scripts/example-builds.sh
source ../../scripts/example-builds.sh

# without FEATURE: the file without its stage and without its line in the list.
without() {
    awk -v feature="$1" '/^# Feature |^# The development/ { skipped = index($0, "# Feature " feature ":") == 1 }
        !skipped && $0 !~ "--from=" feature " "'
}
# features NAME FILE [FLAG...]: builds it, and tells what ran and what is new against the build before.
last=
features() {
    local begin=$SECONDS
    build "$1" -t "$image" --no-load --jobs "${JOBS:-4}" --build-arg "BASE=$base" -f "$2" "${@:3}" .
    printf '   %d s; stages that ran: %s\n' $((SECONDS - begin)) "$(stages_run "$1")"
    [[ -z $last ]] || printf '   layers kept: %d; new: %s (%d bytes)\n' "$(kept_layers "$last" "$1")" \
        "$(new_layers "$last" "$1")" "$(new_bytes "$last" "$1")"
    last=$1
}

without ripgrep <Containerfile.x >"$work/first.x"
without python <Containerfile.x >"$work/removed.x"

say "1. Four features on a base. Nothing comes from a cache."
features first "$work/first.x" --no-cache
echo "   stages at work at one time: $(at_once first)"
expect "every stage ran" "$(stages_run first)" "devcontainer esbuild node prettier python"
((${JOBS:-4} < 2 || $(at_once first) > 1)) || expect "side by side" "$(at_once first)" "more than 1"
layers=$(jsonOf first 'value.layers.length')

say "2. Nothing changed."
features same "$work/first.x"
expect "the same image" "$(field same digest) $(field same upToDate)" "$(field first digest) true"

say "3. Another option of python: a line of its configuration."
features option "$work/first.x" --build-arg PIP_INDEX_URL=https://pypi.example/simple
expect "one feature ran" "$(stages_run option)" "devcontainer python"
expect "one layer is new" "$(new_layers same option)" "python"

say "4. Another version of node, which prettier depends on."
features version "$work/first.x" --build-arg PIP_INDEX_URL=https://pypi.example/simple --build-arg NODE_VERSION=24
expect "it and what depends on it ran" "$(stages_run version)" "devcontainer node prettier"
expect "one layer is new" "$(new_layers option version)" "node"

say "5. One feature more, the first of the list: ripgrep. Options are as at first."
last=first
features added Containerfile.x
expect "the new one ran" "$(stages_run added)" "devcontainer ripgrep"
expect "one layer is new" "$(new_layers first added)" "ripgrep"
expect "the others are kept" "$(kept_layers first added)" "$layers"

say "6. python is removed."
features removed "$work/removed.x"
expect "no feature ran" "$(stages_run removed)" "devcontainer"
expect "no layer is new" "$(new_layers added removed)" ""
expect "the others are kept" "$(kept_layers added removed)" "$layers"

say "7. The container of step 5 is loaded, and its programs run:"
last=
build loaded -t "$image" --build-arg "BASE=$base" .
expect "nothing ran" "$(stages_run loaded)" ""
container=$(buildah from --pull-never "$image")
told=$(buildah run "$container" -- sh -c 'echo "let a=1" >a.js; prettier --config /etc/prettierrc a.js; esbuild --minify a.js
    echo LET >b; rg --count let b; node -p "1 + 1"; python3 -c "print(2 + 1)"; pip3 config list')
buildah rm "$container" >/dev/null
echo "$told" | sed 's/^/   /'
expect "what they say" "$told" $'let a = 1;\nlet a=1;\n1\n2\n3\nglobal.index-url=\'https://pypi.org/simple\''
say "Done."
