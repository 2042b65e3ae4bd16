#!/usr/bin/env bash
# Collects the tables of packages that the bench of release series is about, from package registries alone, and stores
# them in bench/results/series. Words name some of them:
#   scripts/series.sh debian-server npm
# --whole DIR writes each there, too, as bench/series/model.ts has it.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts=.cache/bench/series.$$
trap 'rm -rf "$scripts"' EXIT
node_modules/.bin/esbuild bench/series-tables.ts --bundle --platform=node --format=esm --outdir="$scripts" \
    --log-level=warning \
    --banner:js='import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
echo '{"type":"module"}' >"$scripts/package.json"
node "$scripts/series-tables.js" "$@"
