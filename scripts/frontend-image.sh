#!/usr/bin/env bash
# Makes the image of the BuildKit frontend, and writes or pushes it: see scripts/frontend-image.mjs.
# usage: frontend-image.sh [--platform linux/amd64,linux/arm64] [-t NAME --push] [-o oci-archive:FILE] [FLAG...]
set -euo pipefail
cd "$(dirname "$0")/.."
kind=demo
for word in "$@"; do case $word in --platform | --platform=*) kind=image ;; esac done
bash scripts/setup.sh "$kind"
exec node scripts/frontend-image.mjs "$@"
