#!/usr/bin/env bash
# Runs the tests of the BuildKit engine with a buildkitd of their own: all of them, or with --few what each change is
# tried with (five minutes on a quiet machine, BuildKit being in the cache).
# usage: test-buildkit.sh [--few] [VITEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
for part in buildkit buildx; do
    status=0
    said=$(bash scripts/buildkit.sh "$part" 2>&1) || status=$?
    if ((status == 3)); then
        echo "The BuildKit tests were left out: $said."
        exit 0
    fi
    ((status == 0)) || { echo "$said" >&2; exit "$status"; }
done
if [[ ${1:-} == --few ]]; then
    shift
    export XBUILD_TEST_FEW=1
fi
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
exec node_modules/.bin/vitest run --project buildkit "$@"
