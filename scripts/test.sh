#!/usr/bin/env bash
# Sets up what is missing and runs every test but those that need a BuildKit (test-buildkit.sh). Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
# Where no container runtime starts (many sandboxes and CI machines), buildah can do without one.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
case " $* " in
*" --project"*) ;;
*) set -- --project unit --project e2e "$@" ;;
esac
exec node_modules/.bin/vitest run "$@"
