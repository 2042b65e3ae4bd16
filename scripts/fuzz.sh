#!/usr/bin/env bash
# Feeds each parser of foreign bytes with documents that are nearly right, for as many cases as are asked for.
# `npm test` does 2,000 a target, with a fixed seed.
# usage: fuzz.sh [CASES [SEED]]
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci --no-audit --no-fund
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
cases=${1:-200000}
echo "$cases cases a target, seed $((seed % 2147483647)) (again: npm run fuzz -- $cases $seed)"
export FUZZ_RUNS=$cases FUZZ_SEED=$((seed % 2147483647))
exec node_modules/.bin/vitest run --project unit test/fuzz
