#!/usr/bin/env bash
# Runs the workloads of bench/ against real engines and prints a table. Names of workloads run these alone:
#   scripts/bench.sh A I
# XBUILD_BENCH_SCALE=0.2 makes the large ones smaller, XBUILD_BENCH_PROGRAM measures another xbuild.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test

scripts=.cache/bench/js
rm -rf "$scripts"
node_modules/.bin/esbuild bench/*.ts --bundle --splitting --platform=node --format=esm --outdir="$scripts" \
    --log-level=warning \
    --banner:js='import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
echo '{"type":"module"}' >.cache/bench/package.json

if [[ $# == 0 || ${1:-} != language ]]; then node "$scripts/main.js" "$@"; fi
if [[ -e $scripts/language.js && ( $# == 0 || ${1:-} == language ) ]]; then node "$scripts/language.js"; fi
