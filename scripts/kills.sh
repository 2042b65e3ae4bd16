#!/usr/bin/env bash
# Kills builds, loads and prunes at random instants, and checks the store and the engine after them.
# usage: kills.sh [N]   (1000 unless given; about half a second each)
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} XBUILD_KILLS=${1:-1000}
exec node_modules/.bin/vitest run test/hostile/e2e/kills.test.ts src/store/layout/processes.test.ts
