# split: which layers are as they were; the tars of the others.

# Compares each layer's signature with the last build's. Writes $work/entries, the lines for
# history.jsonl, $work/jobs, which tars to write in which of the parallel runs, and $work/state.
decide_layers() {
    jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=1
    [ "$jobs" -le 8 ] || jobs=8
    state_name=$(printf '%s\n' "$1" | sed 's/[^A-Za-z0-9.]/_/g; s/^\(.\{200\}\).*/\1/')
    old_state=$base/input/state/$state_name
    : >"$work/none"
    if [ ! -f "$old_state" ] || [ ! -r "$old_state" ]; then old_state=$work/none; fi
    : >"$work/jobs"
    : >"$work/entries"
    : >>"$work/unsure"
    sign_layers >"$work/sums" || die "cannot compute the signatures"
    odd_names=
    if [ -e "$work/odd" ]; then odd_names=yes; fi
    layer_unique=$unique layer_jobs=$jobs layer_odd=$odd_names layer_work=$work awk "$decide_program" \
        mode=names "$base/names" mode=state "$old_state" mode=sums "$work/sums" mode=unsure "$work/unsure" mode=plan "$work/plan" \
        >"$work/state" || die "cannot compare the layers"
}

# A line for each layer: <sum> <number>.sig
sign_layers() (
    cd -- "$work"
    set -- *.sig
    [ -e "$1" ] || exit 0
    for tool in sha256sum sha1sum md5sum; do
        if command -v "$tool" >/dev/null; then
            exec "$tool" -- "$@"
        fi
    done
    cksum "$@" | sed 's/^\([0-9]*\) \([0-9]*\) /\1-\2 /'
)

# Writes the tars of $work/jobs, some side by side: the function $1 gets a layer's number, "odd" or -, and what else is
# given, and writes $work/$unique-<number>.tar.
pack_layers() {
    [ -s "$work/jobs" ] || return 0
    job=0
    children=
    while [ "$job" -lt "$jobs" ]; do
        pack_job "$job" "$@" &
        children="$children $!"
        job=$((job + 1))
    done
    failed=
    for child in $children; do
        wait "$child" || failed=yes
    done
    [ -z "$failed" ] || exit 1
}

pack_job() {
    its_job=$1
    pack=$2
    part=$work/$1.part
    shift 2
    while read -r number a_job odd_layer; do
        if [ "$a_job" = "$its_job" ]; then "$pack" "$number" "$odd_layer" "$@"; fi
    done <"$work/jobs"
}

# All tars are whole: they get their names, then the entries are written.
publish_layers() {
    set -- "$work/$unique"-*.tar
    if [ -e "$1" ]; then mv -- "$@" "$layers/" || die "cannot write the layers"; fi
    while IFS= read -r line; do
        append_entry "$line"
    done <"$work/entries"
    mkdir -p -- "$output/state" || die "cannot make $output/state"
    cp -- "$work/state" "$output/state/$state_name" || die "cannot write $output/state, is the disk full?"
}
