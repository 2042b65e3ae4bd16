#!/usr/bin/env bash
# Measures what moves between which machines when an image of 96 Debian packages' layers is built on a builder of
# scripts/cluster.sh: prints the JSON that scripts/scale-model.ts computes docs/scale.md with. As root; some minutes.
#   ROUNDS       how often (default: 3)
# usage: scale-measure.sh >docs/scale.json; npm run format; npm run generate
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cluster.sh
source scripts/cluster.sh

cache=.cache/bench
if [[ ${1:-} != inside ]]; then
    can_make_houses || { echo "ip netns is not permitted here" >&2; exit 1; }
    programs=$(bash scripts/buildkit.sh)
    if [[ ! -e $cache/root.tar ]]; then
        mkdir -p "$cache"
        mmdebstrap --quiet --variant=minbase --include=ca-certificates,less,nano,procps,xz-utils bookworm "$cache/new.tar"
        mv "$cache/new.tar" "$cache/root.tar"
    fi
    work=$(mktemp -d "$PWD/$cache/scale.XXXXXX")
    cgroup=xbuild-scale-$$
    trap 'remove_cgroups; rm -rf "$work"' EXIT
    in_a_house bash scripts/scale-measure.sh inside "$work" "$programs" "$cgroup"
    exit
fi

work=$2 programs=$3 cgroup=$4
export PATH=$programs:$PATH
read -ra command <<<"${XBUILD:-node dist/cli/main.js}"
unset SOURCE_DATE_EPOCH

# unpack_packages: a directory for each of 96 packages in the context, as bench/packages.ts does it.
unpack_packages() {
    local root=$work/root list name
    mkdir -p "$root" "$work/context/pkgs"
    tar -xpf "$cache/root.tar" -C "$root"
    for list in "$root"/var/lib/dpkg/info/*.list; do
        name=$(basename "$list" .list)
        mkdir "$work/context/pkgs/${name%:*}"
        sed -E 's#^/(bin|sbin|lib|lib64)(/|$)#/usr/\1\2#; s#^#.#; /^\.(\/\.)?$/d' "$list" | sort -u |
            tar -C "$root" --no-recursion -cf - -T - 2>/dev/null |
            tar -xpf - -C "$work/context/pkgs/${name%:*}" || true
        # Nothing of its own but directories.
        rmdir "$work/context/pkgs/${name%:*}" 2>/dev/null || true
        (($(find "$work/context/pkgs" -mindepth 1 -maxdepth 1 | wc -l) < 96)) || break
    done
    rm -rf "$root"
}
# The fifth package has a file more, of other content each time.
changes=0
change_one() {
    local fifth
    fifth=$(find "$work/context/pkgs" -mindepth 1 -maxdepth 1 | sort | sed -n 5p)
    echo "$((changes += 1))" >"$fifth/changed"
}

new_builder() {
    kill_builder a
    rm -rf "$work/a"
    start_builder a
}
clients=0
new_client() {
    [[ -z ${XBUILD_STORE:-} ]] || rm -rf "${XBUILD_STORE%/store}"
    clients=$((clients + 1))
    mkdir -p "$work/client-$clients/run"
    export XBUILD_STORE=$work/client-$clients/store XDG_RUNTIME_DIR=$work/client-$clients/run
}

# In the order of the six ways below, the last two of everybody.
read_counters() { echo "$(moved a 77 | sed -E 's/(.*) (.*)/\2 \1/') $(moved a 78) $(moved registry 78 | sed -E 's/(.*) (.*)/\2 \1/')"; }
count_requests() { grep -c "^10\.78\.0\.$1 - " "$work/registry.log" || true; }

quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}
# measure WHAT COMMAND...: a line of JSON of what moves while the command runs; WHAT are its first fields.
measure() {
    local before after clients builders begin end
    before=$(read_counters) clients=$(count_requests 1) builders=$(count_requests 2) begin=$(date +%s%N)
    quietly "${@:2}"
    end=$(date +%s%N)
    sleep 0.5 # for what the registry still writes into its log
    after=$(read_counters)
    node -e '
        const [what, before, after, ...numbers] = process.argv.slice(1);
        const [clientsBefore, clients, buildersBefore, builders, nanoseconds] = numbers.map(Number);
        const was = before.split(" ");
        const [toBuilder, toClient, up, down, allUp, allDown] = after.split(" ").map((value, at) => value - was[at]);
        const bytes = { "client>builder": toBuilder, "builder>client": toClient,
            "client>registry": Math.max(0, allUp - up), "registry>client": Math.max(0, allDown - down),
            "builder>registry": up, "registry>builder": down };
        const requests = { client: clients - clientsBefore, builder: builders - buildersBefore };
        console.log(JSON.stringify({ ...JSON.parse(`{${what}}`), seconds: Math.round(nanoseconds / 1e7) / 100, bytes, requests }));
    ' "$1" "$before" "$after" "$clients" "$(count_requests 1)" "$builders" "$(count_requests 2)" $((end - begin)) |
        tee -a "$work/measured" >&2
}

# shellcheck source=scale-builds.sh
source scripts/scale-builds.sh
