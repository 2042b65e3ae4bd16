# split: which layers are as they were; the tars of the others.

# Sets state_name and old_state, what the last build of the same command and $1 has left, and known.
open_state() {
    choose_sums
    : >"$work/none"
    known=$work/none
    state_name=$command-$(printf '%s\n' "$1" | $sums | cut -d ' ' -f 1)
    find_state "$state_name"
    old_state=$found_state
}

# Sets found_state: the file $1 of the last build's state, or an empty one.
find_state() {
    found_state=$base/input/state/$1
    if [ ! -f "$found_state" ] || [ ! -r "$found_state" ]; then found_state=$work/none; fi
}

# Compares each layer's signature with the last build's. Writes $work/entries, the lines for history.jsonl, $work/jobs,
# which tars to write in which of the parallel runs, and $work/state.
decide_layers() {
    jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=1
    [ "$jobs" -le 8 ] || jobs=8
    : >"$work/jobs"
    : >"$work/entries"
    : >>"$work/unsure"
    sign_layers >"$work/sums" || die "cannot compute the signatures"
    odd_names=
    if [ -e "$work/odd" ]; then odd_names=yes; fi
    last=$base/bin/last
    [ -r "$last" ] || last=$work/none
    layer_unique=$unique layer_jobs=$jobs layer_odd=$odd_names layer_work=$work layer_view=${view-} \
        awk "$decide_program" mode=names "$base/names" mode=last "$last" mode=state "$old_state" \
        mode=sums "$work/sums" mode=known "$known" mode=unsure "$work/unsure" \
        mode=plan "$work/plan" >"$work/state" || die "cannot compare the layers"
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
    for left in state trees taken; do
        case $left in
        state) to=$output/state/$state_name ;;
        trees) to=$output/state/$state_name-trees ;;
        taken) to=$output/state/taken ;;
        esac
        [ ! -s "$work/$left" ] || cp -- "$work/$left" "$to" || die "cannot write $output/state, is the disk full?"
    done
    # Of all calls of split in one build.
    [ ! -s "$work/planned" ] || cat -- "$work/planned" >>"$output/state/plan" ||
        die "cannot write $output/state, is the disk full?"
    if [ -e "$1" ]; then
        published=$layers/$unique
        mv -- "$@" "$layers/" || die "cannot write the layers"
    fi
    while IFS= read -r line; do
        append_entry "$line"
    done <"$work/entries"
    published=
}
