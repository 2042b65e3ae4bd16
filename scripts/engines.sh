#!/usr/bin/env bash
# Runs the end-to-end tests on a Debian 13 and its engines: all of them, or with --few those of test/engines.json.
# usage: engines.sh [--few] [--programs DIR] [VITEST ARGUMENT...]     --programs: see debian-13.sh
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
few=()
programs=()
while [[ ${1:-} == --few || ${1:-} == --programs ]]; do
    if [[ $1 == --few ]]; then
        few=(--few)
        shift
    else
        programs=("$1" "$2")
        shift 2
    fi
done
bash scripts/debian-13.sh ${programs[@]+"${programs[@]}"} node scripts/engine-tests.mjs ${few[@]+"${few[@]}"} "$@"
