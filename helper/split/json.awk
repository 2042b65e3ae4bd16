# Documents of package managers: enough of JSON to find what stands where.

# Reads a file's members down to a depth, but none behind the member "last" of the document, if it is not "". Sets
# json_place (the keys that lead there, with SUBSEP between; in lists the number, from 1) and json_value (a string as it
# is meant, else the text) and returns how many they are.
function read_json(file, deepest, last, text, inside) {
    json_values = json_depth = json_ended = 0
    json_last = last
    # Between quotes every second piece is a string.
    RS = "\""
    while (!json_ended && (getline text < file) > 0) {
        if (inside) text = whole_string(file, text)
        if (!inside) read_json_marks(text, deepest)
        else if (json_wants_key) json_key[json_depth] = plain_string(text)
        else note_json(deepest, json_depth <= deepest ? plain_string(text) : "")
        inside = !inside
    }
    close(file)
    RS = "\n"
    return json_values
}

# A quote behind an odd number of backslashes is a part of the string.
function whole_string(file, text, more) {
    while (match(text, /\\+$/) && RLENGTH % 2 && (getline more < file) > 0) text = text "\"" more
    return text
}

# What stands between two strings.
function read_json_marks(text, deepest, mark) {
    gsub(/[ \t\r\n]+/, "", text)
    for (; text != "" && !json_ended; text = substr(text, length(mark) + 1)) {
        mark = substr(text, 1, 1)
        if (mark == ":") json_wants_key = 0
        else if (mark == ",") json_next()
        else if (mark == "{" || mark == "[") {
            note_json(deepest, mark)
            json_list[++json_depth] = mark == "["
            json_wants_key = mark == "{"
            json_key[json_depth] = 1
        }
        else if (mark == "}" || mark == "]") {
            json_depth--
            if (json_depth == 1 && json_last != "" && json_key[1] == json_last) json_ended = 1
        }
        else {
            match(text, /^[^][{},:]+/)
            mark = substr(text, 1, RLENGTH)
            note_json(deepest, mark)
        }
    }
}

function json_next() {
    if (json_list[json_depth]) json_key[json_depth]++
    else json_wants_key = 1
}

function note_json(deepest, value, i, place) {
    if (!json_depth || json_depth > deepest) return
    place = json_key[1]
    for (i = 2; i <= json_depth; i++) place = place SUBSEP json_key[i]
    json_place[++json_values] = place
    json_value[json_values] = value
    if (json_depth == 1 && place == json_last && value != "{" && value != "[") json_ended = 1
}

# Without its escapes; those of half characters (UTF-16) stay as they are.
function plain_string(text, result, code) {
    if (!index(text, "\\")) return text
    result = ""
    while (match(text, /\\./)) {
        result = result substr(text, 1, RSTART - 1)
        code = substr(text, RSTART + 1, 1)
        text = substr(text, RSTART + 2)
        if (code == "n") result = result "\n"
        else if (code == "t") result = result "\t"
        else if (code == "u") {
            result = result utf8(text)
            text = substr(text, 5)
        }
        else result = result code
    }
    return result text
}

# The character whose four hexadecimal digits begin the text.
function utf8(text, i, value) {
    value = 0
    for (i = 1; i <= 4; i++) value = 16 * value + index("123456789abcdef", tolower(substr(text, i, 1)))
    if (value < 128) return sprintf("%c", value)
    if (value < 2048) return sprintf("%c%c", 192 + int(value / 64), 128 + value % 64)
    if (value >= 55296 && value < 57344) return "\\u" substr(text, 1, 4)
    return sprintf("%c%c%c", 224 + int(value / 4096), 128 + int(value / 64) % 64, 128 + value % 64)
}

# A string at the top of a JSON object.
function json_field(file, name, n) {
    n = read_json(file, 1, name)
    return n && json_place[n] == name && json_value[n] !~ /^(null|[{[])$/ ? json_value[n] : ""
}
