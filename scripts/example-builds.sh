# For the scripts of examples/ (sourced): builds of one file after the other, and what each left of the last one.
# Needs $work, a directory for logs, and ${command[@]}, which is xbuild. All that is told is counted here;
# `expect` ends the script where that is not what the example's page says.

say() { printf '\n%s\n' "$*"; }

expect() {
    if [[ $2 != "$3" ]]; then
        printf '%s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
}

# build NAME [FLAG...]: builds, and keeps what was said and made under that name.
build() {
    "${command[@]}" --metadata-file "$work/$1.json" "${@:2}" >"$work/$1.log" 2>&1 || {
        cat "$work/$1.log" >&2
        exit 1
    }
}

field() { jsonOf "$1" "value[\"$2\"]"; }

# Against a build before: names of the layers whose digests are new, the bytes of these, and how many are not new.
new_layers() { compare "$1" "$2" 'after.filter((layer) => !known.has(layer.digest)).map((layer) => layer.name).join(" ")'; }
new_bytes() { compare "$1" "$2" 'after.filter((layer) => !known.has(layer.digest)).reduce((sum, layer) => sum + layer.size, 0)'; }
kept_layers() { compare "$1" "$2" 'after.filter((layer) => known.has(layer.digest)).length'; }
compare() {
    node -p "const [before, after] = process.argv.slice(1).map((file) => JSON.parse(fs.readFileSync(file, 'utf8')).layers);
        const known = new Set(before.map((layer) => layer.digest)); $3" "$work/$1.json" "$work/$2.json"
}
jsonOf() { node -p "const value = JSON.parse(fs.readFileSync(process.argv[1], 'utf8')); $2" "$work/$1.json"; }

# stages_run NAME: the stages whose layering steps ran, sorted; with several platforms PLATFORM:STAGE.
stages_run() { sed -n 's/^==> \(.*\): Layering steps$/\1/p' "$work/$1.log" | sed 's/: /:/g' | sort | xargs; }

# at_once NAME: how many stages were at work at one time, at most.
at_once() {
    awk '/^==> [^ ]*: / { begun[$2]++; if (begun[$2] == 1 && ++open > most) most = open }
         /^  ✓ [^ ]*: / { if (--begun[$2] == 0) open-- }
         END { print most + 0 }' "$work/$1.log"
}

# start_registry: Debian's docker-registry on a free port of 127.0.0.1, empty. Sets registry_host and registry_pid.
start_registry() {
    if ! command -v docker-registry >/dev/null; then
        echo "docker-registry is missing. As root: apt-get install -y docker-registry" >&2
        exit 1
    fi
    printf '{"version": 0.1, "log": {"accesslog": {"disabled": true}}, "http": {"addr": "127.0.0.1:0"}, "storage": {"filesystem": {"rootdirectory": "%s"}}}\n' \
        "$work/registry" >"$work/registry.json"
    mkdir "$work/registry"
    touch "$work/registry.log"
    docker-registry serve "$work/registry.json" 2>>"$work/registry.log" &
    registry_pid=$!
    local _
    for _ in {1..100}; do
        registry_host=$(sed -n -E 's/.*listening on (127\.0\.0\.1:[0-9]+).*/\1/p' "$work/registry.log" | head -n 1)
        [[ -z $registry_host ]] || return 0
        sleep 0.1
    done
    cat "$work/registry.log" >&2
    return 1
}
# registry_blobs: the digests of all that the registry holds.
registry_blobs() { find "$work/registry" -path '*/blobs/sha256/*/data' -printf '%h\n' | sed 's/.*\///' | sort; }
