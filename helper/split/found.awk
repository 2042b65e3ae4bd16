# What the kinds of packages that are found in the walk need.

# What no listed package has.
function claim_free(unit, path, at, first) {
    at = number_of(path)
    if (at && owners[at] != "") {
        split(owners[at], first, " ")
        if (first[1] <= system_units) return
    }
    claim(unit, path)
}

# One unit for the copies of a package, as npm and virtual environments have them.
function language_unit(kind, name) {
    gsub(/ /, "%20", name)
    if (!((kind, name) in known)) {
        known[kind, name] = new_unit(kind, name)
        full_names[units] = name
    }
    return known[kind, name]
}

# A string at the top of a JSON object: enough of JSON to find it.
function json_field(file, name, line, token, depth, key, value, result, text) {
    result = ""
    while (result == "" && (getline line < file) > 0) {
        while (match(line, /"([^"\\]|\\.)*"|[][{}:,]/)) {
            token = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (token ~ /^[{[]/) depth++
            else if (token ~ /^[]}]/) depth--
            else if (depth != 1) continue
            else if (token == ":") value = 1
            else if (token == ",") value = 0
            else if (!value) key = token
            else if (key == "\"" name "\"") {
                result = substr(token, 2, length(token) - 2)
                break
            }
        }
    }
    close(file)
    return result
}
