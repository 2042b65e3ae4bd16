#!/bin/sh
# Writes a layer for each store path of a closure, in the exact form: blobs and a history.
# usage: emit-layers.sh LAYERS RESULT
set -eu
layers=$1
result=$2
blobs=$layers/output/blobs/sha256
mkdir -p "$blobs"

# The digest of the previous image's layer of that name; the last line of a name counts.
find_digest() {
    awk -F '\t' -v name="$1" '$4 == name { digest = $1 } END { print digest }' "$layers/names"
}

# A store path never changes its content: a layer of that name is that layer, and is not even read.
for path in $(nix-store --query --requisites "$result"); do
    digest=$(find_digest "$path")
    if [ -z "$digest" ]; then
        tar --create --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --format=posix \
            --pax-option=delete=atime,delete=ctime --directory=/ "${path#/}" |
            gzip --no-name >"$blobs/new"
        digest=sha256:$(sha256sum "$blobs/new" | cut -d ' ' -f 1)
        mv "$blobs/new" "$blobs/${digest#sha256:}"
    fi
    printf '{"created_by":"%s","digest":"%s"}\n' "$path" "$digest" >>"$layers/output/history.jsonl"
done

printf '{"Entrypoint":["%s/bin/hello"]}\n' "$(readlink -f "$result")" >"$layers/output/config.json"
