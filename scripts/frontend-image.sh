#!/usr/bin/env bash
# Makes the image of the BuildKit frontend, and writes or pushes it: see scripts/frontend-image.mjs.
# usage: frontend-image.sh [-t NAME --push] [-o oci-archive:FILE] [FLAG...]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh demo
exec node scripts/frontend-image.mjs "$@"
