# Names as the names file and as JSON have them.

# Sets escaped: $1 as the names file writes it.
escape_name() {
    escaped=$1
    case $1 in
    *["\\$tab$newline"]*) escape_characters "$1" names ;;
    esac
}

# Sets quoted: $1 as a JSON string.
quote_json() {
    escaped=$1
    case $1 in
    *[\"\\[:cntrl:]]*) escape_characters "$1" json ;;
    esac
    quoted=\"$escaped\"
}

# Character by character, for the few names that need it. Bytes of UTF-8 pass as they are.
escape_characters() {
    rest=$1
    escaped=
    while [ -n "$rest" ]; do
        tail=${rest#?}
        character=${rest%"$tail"}
        rest=$tail
        case $2$character in
        ?*"\\") escaped=$escaped"\\\\" ;;
        ?*"$newline") escaped=$escaped"\\n" ;;
        ?*"$tab") escaped=$escaped"\\t" ;;
        json\") escaped=$escaped"\\\"" ;;
        json[[:cntrl:]]) escaped=$escaped$(printf '\\u%04x' "'$character") ;;
        *) escaped=$escaped$character ;;
        esac
    done
}
