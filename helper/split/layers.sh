# split: which layers are as they were; the tars of the others.

# Compares each layer's signature with the last build's of the same command and $1. Writes $work/entries, the lines for
# history.jsonl, $work/jobs, which tars to write in which of the parallel runs, and $work/state.
decide_layers() {
    jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=1
    [ "$jobs" -le 8 ] || jobs=8
    choose_sums
    state_name=$command-$(printf '%s\n' "$1" | $sums | cut -d ' ' -f 1)
    old_state=$base/input/state/$state_name
    : >"$work/none"
    if [ ! -f "$old_state" ] || [ ! -r "$old_state" ]; then old_state=$work/none; fi
    : >"$work/jobs"
    : >"$work/entries"
    : >>"$work/unsure"
    sign_layers >"$work/sums" || die "cannot compute the signatures"
    odd_names=
    if [ -e "$work/odd" ]; then odd_names=yes; fi
    last=$base/bin/last
    [ -r "$last" ] || last=$work/none
    layer_unique=$unique layer_jobs=$jobs layer_odd=$odd_names layer_work=$work awk "$decide_program" \
        mode=names "$base/names" mode=last "$last" mode=state "$old_state" mode=sums "$work/sums" \
        mode=unsure "$work/unsure" mode=plan "$work/plan" >"$work/state" || die "cannot compare the layers"
}

# A line for each layer: <sum> <number>.sig
sign_layers() (
    cd -- "$work"
    set -- *.sig
    [ -e "$1" ] || exit 0
    if [ "$sums" = cksum ]; then
        cksum "$@" | sed 's/^\([0-9]*\) \([0-9]*\) /\1-\2 /'
    else
        exec "$sums" -- "$@"
    fi
)

# Sets sums: the best program for checksums that there is.
choose_sums() {
    for sums in sha256sum sha1sum md5sum cksum; do
        if command -v "$sums" >/dev/null; then return; fi
    done
    die "no program for checksums, install sha256sum (busybox has it)"
}

# Writes the tars of $work/jobs, some side by side: the function $1 gets a layer's number, "odd" or -, and what else is
# given, and writes $work/$unique-<number>.tar.
pack_layers() {
    [ -s "$work/jobs" ] || return 0
    # One of those that run side by side says what is wrong.
    said=$work/said
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
    said=
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
    mkdir -p -- "$output/state" 2>/dev/null || die "cannot make $output/state"
    cp -- "$work/state" "$output/state/$state_name" || die "cannot write $output/state, is the disk full?"
    if [ -e "$1" ]; then
        published=$layers/$unique
        mv -- "$@" "$layers/" || die "cannot write the layers"
    fi
    while IFS= read -r line; do
        append_entry "$line"
    done <"$work/entries"
    published=
}
