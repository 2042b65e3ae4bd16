#!/usr/bin/env bash
# Writes src/frontend/gateway/messages anew, from proto/: what BuildKit and a frontend say to each other. The programs for
# it are large and rarely needed, so they are no dependencies: npm fetches them for this.
# usage: messages.sh
set -euo pipefail
cd "$(dirname "$0")/../proto"
npx --yes --package=@bufbuild/buf@1.75.0 --package=@bufbuild/protoc-gen-es@2.13.0 -- buf generate
