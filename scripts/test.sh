#!/usr/bin/env bash
# Sets up what is missing and runs every test. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
exec node_modules/.bin/vitest run "$@"
