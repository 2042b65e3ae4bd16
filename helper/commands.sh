# keep, has and list.

keep_layer() {
    [ $# -eq 1 ] || misuse "keep takes one name"
    if ! find_layer "$1"; then
        note_unknown "$1"
        exit 1
    fi
    open_output
    quote_json "$1"
    append_entry "{\"created_by\":$quoted,\"digest\":\"$digest\"}"
}

has_layer() {
    [ $# -eq 1 ] || misuse "has takes one name"
    find_layer "$1" || exit 1
}

# The last line of a name wins, so its other lines are not shown.
list_layers() {
    [ $# -eq 0 ] || misuse "list takes no argument"
    find_base
    seen=$newline
    kept=
    while IFS=$tab read -r _digest _diff_id _blob name || [ -n "$name" ]; do
        case $seen in
        *"$newline$name$newline"*)
            drop_line "$name"
            ;;
        esac
        seen=$seen$name$newline
        kept=$kept$name$newline
    done <"$base/names"
    # %b would also undo \a and \0, but the names file escapes every backslash.
    printf '%b' "$kept"
}

# Takes the line $1 out of $kept.
drop_line() {
    case $kept in
    "$1$newline"*) kept=${kept#"$1$newline"} ;;
    *) kept=${kept%%"$newline$1$newline"*}$newline${kept#*"$newline$1$newline"} ;;
    esac
}
