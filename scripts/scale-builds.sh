# For scale-measure.sh (sourced): what is built, in which order, and who has what before it.

# ours FILE [FLAG...], and the same by BuildKit alone as its documentation has it for builders that come and go: the
# results of all steps in the registry.
ours() {
    "${command[@]}" --engine buildkit --builder "$(builder_address a)" -t "$registry_host/ours-$round:1" --push \
        --metadata-file "$work/metadata.json" -f "$work/$1" "${@:2}" "$work/context"
}
peer() {
    local cache=type=registry,ref=$registry_host/peer-cache-$round:1
    buildctl --addr "$(builder_address a)" build --frontend dockerfile.v0 --local context="$work/context" \
        --local dockerfile="$work/peer" --export-cache "$cache,mode=max" --import-cache "$cache" \
        --output "type=image,name=$registry_host/peer-$round:1,push=true"
}

# Each layer's name says what is in it, so that a builder finds out by itself what a previous image has: as in the page.
hash='(find . | sort; find . -type f -exec sha256sum {} + | sort) | sha256sum | cut -c 1-16'
named='for package in *; do hash=$(cd "$package" && '$hash'); \
    /layers/bin/layer keep "$package-$hash" || /layers/bin/layer add "$package-$hash" -C "$package" .; done'
each='/layers/bin/layer each --name "{/}" /context/pkgs/*/.'
mount='RUN --mount=type=bind,target=/context cd /context/pkgs;'
write_files() {
    local base=$registry_host/base:1 steps='RUN sleep 5; head -c 20000000 /dev/urandom >/tools'
    printf 'FROM %s\nOUTPUT /layers\n%s\n' "$base" "$mount $named" >"$work/named.x"
    printf 'FROM %s\nOUTPUT /layers\n%s\n' "$base" "$mount $each" >"$work/each.x"
    printf 'FROM %s\n%s\nOUTPUT /layers\n%s\n' "$base" "$steps" "$mount $named" >"$work/steps.x"
    mkdir -p "$work/peer"
    {
        echo "FROM $base"
        for package in "$work"/context/pkgs/*; do echo "COPY --link pkgs/${package##*/} /"; done
    } >"$work/peer/Dockerfile"
}

# as TOOL CHANGE CLIENT BUILDER [OTHER]: the first fields of what is measured.
as() { printf '"tool": "%s", "change": "%s", "client": "%s", "builder": "%s"%s' "$1" "$2" "$3" "$4" "${5:+, \"other\": \"$5\"}"; }

measure_ours() {
    new_builder
    new_client
    measure "$(as xbuild all new new)" ours named.x
    cp "$work/metadata.json" "$work/image.json"
    measure "$(as xbuild none kept kept)" ours named.x
    change_one
    measure "$(as xbuild one kept kept)" ours named.x
    new_client
    measure "$(as xbuild none new kept)" ours named.x
    new_client
    new_builder
    measure "$(as xbuild none new new)" ours named.x
    new_client
    change_one
    quietly ours named.x
    new_client
    change_one
    measure "$(as xbuild one new kept)" ours named.x
    new_client
    new_builder
    change_one
    measure "$(as xbuild one new new)" ours named.x
}

measure_others() {
    # A file that leaves it to the helper to see what has changed: of another client's layers it knows no more than the name.
    new_client
    quietly ours each.x
    new_client
    change_one
    measure "$(as xbuild one new kept each)" ours each.x
    # Steps before OUTPUT, of some seconds and 20 MB.
    local cache=type=registry,ref=$registry_host/steps-$round:1
    quietly ours steps.x --env-cache-to "$cache" --env-cache-from "$cache"
    new_client
    new_builder
    change_one
    measure "$(as xbuild one new new steps)" ours steps.x
    new_client
    new_builder
    change_one
    measure "$(as xbuild one new new cached)" ours steps.x --env-cache-from "$cache"
}

measure_peer() {
    new_builder
    measure "$(as buildkit all new new)" peer
    measure "$(as buildkit none new kept)" peer
    change_one
    measure "$(as buildkit one new kept)" peer
    new_builder
    measure "$(as buildkit none new new)" peer
    new_builder
    change_one
    measure "$(as buildkit one new new)" peer
}

# What the rounds have in common: of each number the least, for what else a machine is at only adds to it.
print_results() {
    node -e '
        const lines = fs.readFileSync(process.argv[1], "utf8").trim().split("\n").map((line) => JSON.parse(line));
        const { layers } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
        const least = (one, other) => typeof one !== "object" ? (typeof one === "number" ? Math.min(one, other) : one)
            : Object.fromEntries(Object.entries(one).map(([key, value]) => [key, least(value, other[key])]));
        const rounds = new Map();
        for (const line of lines) {
            const key = [line.tool, line.change, line.client, line.builder, line.other].join();
            rounds.set(key, least(line, rounds.get(key) ?? line));
        }
        const image = { layers: layers.length, bytes: layers.reduce((sum, { size }) => sum + size, 0) };
        const head = { at: new Date().toISOString().slice(0, 10), programs: process.argv.slice(3), image };
        console.log(JSON.stringify({ ...head, builds: [...rounds.values()] }, undefined, 2));
    ' "$work/measured" "$work/image.json" "$@"
}

open_house
start_registry_machine
add_machine a 2 77 78
start_builder a
unpack_packages
push_busybox "$registry_host/base:1"
write_files
for ((round = 1; round <= ${ROUNDS:-3}; round++)); do
    measure_ours
    measure_others
    measure_peer
done
print_results "buildkitd ${programs##*-}" "Node.js $(node --version)"
