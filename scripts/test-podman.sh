#!/usr/bin/env bash
# Runs the end-to-end tests with podman as the engine: all of them, or with --few those of test/podman.json, which
# reach all that is done with an engine.
# usage: test-podman.sh [--few] [VITEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
files=(test/e2e/ test/hostile/e2e/)
if [[ ${1:-} == --few ]]; then
    shift
    mapfile -t files < <(node -p 'JSON.parse(require("fs").readFileSync("test/podman.json")).join("\n")')
    # vitest takes a name that is no file's for a pattern that finds nothing.
    ls "${files[@]}" >/dev/null
fi
export XBUILD_TEST_ENGINE=podman BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
exec node_modules/.bin/vitest run --project e2e "${files[@]}" "$@"
