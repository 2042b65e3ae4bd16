#!/usr/bin/env bash
# The counts that take hours elsewhere: 1,000 kills, 200 turns of each race, 20 amounts of room on a full disk, 300
# builds that must be what they are with --no-cache, with another seed each time. `npm test` does a tenth of each, with a fixed one.
# usage: test-long.sh [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
seed=${1:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "seed: $seed (again: npm run test:long -- $seed)"
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
export XBUILD_TEST_LONG=1 XBUILD_TEST_SEED=$seed XBUILD_KILLS=${XBUILD_KILLS:-1000}
node_modules/.bin/vitest run test/hostile src/store/layout/processes.test.ts
# All engines make the same image: every row.
bash scripts/test-buildkit.sh
# Other engines have other caches.
bash scripts/debian-13.sh env XBUILD_TEST_LONG=1 XBUILD_TEST_SEED="$seed" \
    node_modules/.bin/vitest run test/hostile/e2e/no-cache.test.ts
