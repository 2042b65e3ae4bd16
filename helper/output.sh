# Writing into <path>/output.

# Sets output and layers, and makes what a build has not made yet.
open_output() {
    [ -n "${base-}" ] || find_base
    output=$base/output
    layers=$output/layers
    if [ ! -d "$output" ] || [ ! -w "$output" ]; then
        die "cannot write $output, run the helper in a RUN that comes after OUTPUT"
    fi
    [ ! -e "$output/history.json" ] ||
        die "output/history.json is there already, list layers in it or with the helper, not both"
    [ -d "$layers" ] || mkdir -p -- "$layers" || die "cannot make $layers"
}

# For the error of a step that fails for this: which name it was that no previous image has. What is
# kept or added later says that the script knew what to do.
note_unknown() {
    escape_name "$1"
    { printf '%s\n' "$escaped" >"$base/output/.layer-unknown"; } 2>/dev/null || :
    # Where nobody reads that after a step that failed, the helper says it itself.
    [ ! -e "$base/bin/.tell-unknown" ] ||
        printf 'layer: keep %s: no previous image has a layer of that name\n' "$escaped" >&2
}

forget_unknown() {
    [ -s "$base/output/.layer-unknown" ] || return 0
    { : >"$base/output/.layer-unknown"; } 2>/dev/null || :
}

# One printf: O_APPEND keeps the entries of helpers that run side by side whole.
append_entry() {
    forget_unknown
    if ! printf '%s\n' "$1" >>"$output/history.jsonl"; then
        drop_half_entry
        die "cannot write output/history.jsonl, is the disk full?"
    fi
}

# A full disk may have taken the first part of a line: the whole lines are written back.
drop_half_entry() {
    whole=$(sed '${/[^}]$/d;}' "$output/history.jsonl") || return 0
    if [ -n "$whole" ]; then whole=$whole$newline; fi
    printf '%s' "$whole" >"$output/history.jsonl" || :
}

# Sets unique and partial, a file that is ours alone, and scratch, a directory to make. A number of a process comes
# again in the next RUN, so what is there counts too. It gets its right name when it is whole.
reserve_file() {
    counter=0
    suffix=.tar
    clean_up_at_exit
    while :; do
        unique=add-$$-$counter
        counter=$((counter + 1))
        for taken in "$layers/$unique.tar" "$layers/$unique.tar.gz" "$layers/$unique.tar.zst"; do
            if [ -e "$taken" ]; then continue 2; fi
        done
        # A redirection that fails ends no shell where it is not of a special builtin.
        set -C
        if { true >"$layers/.$unique.part"; } 2>/dev/null; then break; fi
        set +C
        [ -e "$layers/.$unique.part" ] || die "cannot write in $layers"
    done
    set +C
    partial=$layers/.$unique.part
    scratch=$layers/.$unique.work
}

clean_up_at_exit() {
    partial=
    work=
    published=
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

clean_up() {
    status=$?
    trap - EXIT
    if [ -n "$partial" ]; then rm -f -- "$partial"; fi
    if [ -n "$work" ]; then rm -rf -- "$work"; fi
    if [ -n "$published" ]; then rm -f -- "$published"-*.tar; fi
    exit "$status"
}

# A compressed stream is welcome too: its first bytes say what it is.
copy_stream() {
    cat >"$partial" || die "cannot copy the tar stream"
    [ -s "$partial" ] || die "the tar stream is empty, pipe the output of tar -c into layer add NAME -"
    magic=$(head -c 4 "$partial" | od -An -tx1 2>/dev/null) || magic=
    # shellcheck disable=SC2086,SC2116
    case $(echo $magic) in
    "1f 8b "*) suffix=.tar.gz ;;
    "28 b5 2f fd") suffix=.tar.zst ;;
    esac
}
