# For examples/cluster and scale-measure.sh (sourced): machines, each a network namespace with a cable to two networks, so
# that what moves between which of them can be read off the cables: over 10.77.0.0/24 the client talks with the builders,
# over 10.78.0.0/24 all talk with the registry.
# Needs $work, a directory; $programs, that of buildkitd and buildctl; $cgroup, a name for the steps' control groups; and
# ${command[@]}, which is xbuild. All of it is in namespaces that `in_a_house` makes, and gone when these are.

registry_host=10.78.0.9:5000
declare -A builder_pid=()

# can_make_houses: whether this user may make namespaces, and in them those that have names.
can_make_houses() {
    local probe='mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add probe && ip -n probe link set lo up'
    [[ $(id -u) == 0 ]] && unshare "${house[@]}" sh -c "$probe" >/dev/null 2>&1
}
house=(--net --mount --pid --fork --kill-child --mount-proc)

# in_a_house COMMAND...: runs it with networks, mounts and processes of its own, and waits for it. What it left ends
# with it, and it ends with the caller, even with one that is killed: no trap runs then.
in_a_house() {
    setpriv --pdeathsig KILL unshare "${house[@]}" "$@" &
    local pid=$!
    trap 'kill -KILL '"$pid"' 2>/dev/null || true; exit 130' INT TERM HUP
    wait "$pid"
}

# Steps that were killed with their builder have left their control groups, which are empty when the last of them has ended.
remove_cgroups() {
    local groups=(find /sys/fs/cgroup -depth -type d -path "*/$cgroup*") _
    for _ in {1..50}; do
        "${groups[@]}" -exec rmdir {} + 2>/dev/null || true
        [[ -n $("${groups[@]}" -print -quit) ]] || return 0
        sleep 0.1
    done
}

# open_house: the client's end of both networks. The client is whatever runs beside this script.
open_house() {
    mkdir -p /run/netns
    mount -t tmpfs none /run/netns
    ip link set lo up
    # Neighbours that look for each other by IPv6 would be counted.
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true
    local network
    for network in 77 78; do
        ip link add "net$network" type bridge
        ip addr add "10.$network.0.1/24" dev "net$network"
        ip link set "net$network" up
    done
}

# add_machine NAME NUMBER [NETWORK...]: a machine that has the address 10.NETWORK.0.NUMBER in each of the networks.
add_machine() {
    ip netns add "$1"
    ip netns exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6' 2>/dev/null || true
    ip -n "$1" link set lo up
    local network
    for network in "${@:3}"; do
        ip link add "$1-$network" type veth peer name "net$network" netns "$1"
        ip link set "$1-$network" master "net$network" up
        ip -n "$1" addr add "10.$network.0.$2/24" dev "net$network"
        ip -n "$1" link set "net$network" up
    done
}

# on MACHINE COMMAND...: takes the place of the shell that calls it. (`ip netns exec` would hide /sys/fs/cgroup.)
on() { exec nsenter "--net=/run/netns/$1" "${@:2}"; }

start_registry_machine() {
    add_machine registry 9 78
    mkdir -p "$work/registry"
    printf '{"version": 0.1, "http": {"addr": "%s"}, "storage": {"filesystem": {"rootdirectory": "%s"}}}\n' \
        "$registry_host" "$work/registry" >"$work/registry.json"
    (on registry docker-registry serve "$work/registry.json") >"$work/registry.log" 2>&1 &
    # For xbuild and skopeo, and for the builders: it speaks plain HTTP, and is not on this machine.
    printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$registry_host" >"$work/registries.conf"
    export CONTAINERS_REGISTRIES_CONF=$work/registries.conf
    printf '[registry."%s"]\nhttp = true\ninsecure = true\n\n[worker.oci]\ndefaultCgroupParent = "%s"\n' \
        "$registry_host" "$cgroup" >"$work/buildkitd.toml"
    await "the registry" grep -q "listening on" "$work/registry.log"
}

# start_builder NAME: with its own processes and mounts, so that to kill the one is to pull the plug of the machine. What
# it had on its disk is there again when it is started again.
start_builder() {
    local directory=$work/$1
    mkdir -p "$directory"
    (on "$1" env -i "PATH=$PATH" "HOME=$directory" unshare --mount --pid --fork --kill-child --mount-proc "$programs/buildkitd" \
        --config "$work/buildkitd.toml" --root "$directory/root" --addr "$(builder_address "$1")" \
        --otel-socket-path "$directory/otel.sock" --containerd-worker=false \
        --oci-worker-snapshotter=overlayfs --oci-worker-net=host) >>"$directory/log" 2>&1 &
    builder_pid[$1]=$!
    await "builder $1" "$programs/buildctl" --addr "$(builder_address "$1")" debug workers
}
builder_address() { echo "tcp://$(ip -n "$1" -4 -o addr show dev net77 | sed -E 's/.* inet ([0-9.]+).*/\1/'):1234"; }

# kill_builder NAME: no word to anybody, not to its clients either.
kill_builder() {
    kill -KILL "${builder_pid[$1]}"
    wait "${builder_pid[$1]}" 2>/dev/null || true
}

# pull_cable NAME, plug_in NAME: the machine is there, and nobody hears of it; not that a connection has ended, either.
pull_cable() { ip link set "$1-77" down; }
plug_in() { ip link set "$1-77" up; }

# push_busybox NAME: an image of busybox, for the builders to begin with.
push_busybox() {
    local layers=$work/base name
    mkdir -p "$layers/output/layers/busybox/bin"
    cp "$(command -v busybox)" "$layers/output/layers/busybox/bin/busybox"
    for name in $(busybox --list); do [[ $name == busybox ]] || ln -s busybox "$layers/output/layers/busybox/bin/$name"; done
    echo '{ "Env": ["PATH=/bin"], "Cmd": ["sh"] }' >"$layers/output/config.json"
    XBUILD_STORE=$work/base/store "${command[@]}" collect --quiet -t localhost/base "$layers/output" >/dev/null
    skopeo copy --quiet --dest-tls-verify=false "oci:$work/base/store:localhost/base:latest" "docker://$1"
}

# running_steps NAME: how many steps of builds run there now.
running_steps() { find "$work/$1/root/runc-overlayfs/executor" -mindepth 2 -maxdepth 2 -name config.json 2>/dev/null | wc -l; }

# await WHAT COMMAND...: until the command succeeds, 20 seconds at most.
await() {
    local _
    for _ in {1..200}; do
        ! "${@:2}" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    echo "cluster: waited in vain for $1" >&2
    return 1
}

# moved MACHINE NETWORK: bytes that came out of the machine into the network, and that went in, frames and all.
moved() { ip -j -s link show dev "$1-$2" | node -e 'const [{ stats64 }] = JSON.parse(fs.readFileSync(0)); console.log(stats64.rx.bytes, stats64.tx.bytes)'; }
