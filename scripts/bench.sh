#!/usr/bin/env bash
# Runs the workloads of bench/ against real engines and prints a table. Words name some of them, as docs/benchmarks.md
# lists them; --render writes stored results into the docs, and runs nothing:
#   scripts/bench.sh "one of 96 changed" small
#   scripts/bench.sh --render bench/results/2026-11-29.json
# `language` reads large files, `series` plans the layers of release series (docs/updates.md).
# XBUILD_BENCH_SCALE=0.2 makes the large ones smaller, XBUILD_BENCH_PROGRAM measures another xbuild.
set -euo pipefail
cd "$(dirname "$0")/.."
# The series need no engine: what they are about is stored.
if [[ ${1:-} != --render && ${1:-} != series ]]; then bash scripts/setup.sh test; fi

# Of its own: two at once do not take each other's away.
scripts=.cache/bench/js.$$
trap 'rm -rf "$scripts"' EXIT
node_modules/.bin/esbuild bench/{main,language,series,collect-process}.ts --bundle --splitting --platform=node --format=esm \
    --outdir="$scripts" --log-level=warning \
    --banner:js='import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
echo '{"type":"module"}' >.cache/bench/package.json

case ${1:-} in
language) ;;
series) node "$scripts/series.js" "${@:2}" ;;
*) node "$scripts/main.js" "$@" ;;
esac
if [[ $# == 0 || ${1:-} == language ]]; then node "$scripts/language.js"; fi
