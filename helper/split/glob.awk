# Globs, as in ignore files.
#
# A glob is matched part by part: what stands between two stars is a regular expression without repetition, and the
# leftmost match of each is enough. One expression for a whole glob would take an awk that goes back for ever.

# Makes the glob of that number from its text. Returns what is wrong with it, or "".
function make_glob(glob, text, n, i, part, segments, wrong) {
    glob_ends[glob] = text ~ /\/$/
    sub(/\/+$/, "", text)
    if (text == "") text = "/**"
    segments = 0
    if (text !~ /\//) add_segment(glob, ++segments, "**")
    n = split(text, part, "/")
    for (i = 1; i <= n; i++) {
        if (part[i] == "") continue
        if (part[i] == "." || part[i] == "..") return "a glob takes no . or .."
        if (part[i] == "**" && i == n) add_segment(glob, ++segments, "**")
        wrong = add_segment(glob, ++segments, part[i] == "**" && i == n ? "*" : part[i])
        if (wrong != "") return wrong
    }
    glob_segments[glob] = segments
    note_plain(glob, segments)
    return ""
}

# A glob without wildcards is looked up.
function note_plain(glob, segments, i, text) {
    for (i = 1; i <= segments; i++) {
        if ((glob, i) in any_depth || glob_parts[glob, i] > 1 || !((glob, i) in plain_segment)) return
        text = join(text, plain_segment[glob, i])
    }
    plain_glob[glob] = text
}

function add_segment(glob, segment, text, i, c, parts, body, size, plain, literal) {
    parts = 1
    body = literal = ""
    size = 0
    if (text == "**") {
        any_depth[glob, segment] = 1
        return ""
    }
    plain = 1
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "*") {
            add_part(glob, segment, parts, body, size)
            while (substr(text, i + 1, 1) == "*") i++
            parts++
            body = ""
            size = plain = 0
            continue
        }
        size++
        if (c == "?") {
            body = body "."
            plain = 0
        } else if (c == "[") {
            plain = 0
            i = read_class(text, i + 1)
            if (class_wrong != "") return class_wrong
            body = body class_body
        } else {
            if (c == "\\" && i < length(text)) c = substr(text, ++i, 1)
            body = body as_pattern(c)
            literal = literal c
        }
    }
    add_part(glob, segment, parts, body, size)
    glob_parts[glob, segment] = parts
    if (plain) plain_segment[glob, segment] = literal
    return ""
}

function add_part(glob, segment, part, body, size) {
    part_body[glob, segment, part] = body
    part_size[glob, segment, part] = size
}

# The character for itself in a regular expression.
function as_pattern(c) {
    if (c == "^" || c == "\\") return "\\" c
    return c ~ /[A-Za-z0-9]/ ? c : "[" c "]"
}

# Reads what stands in brackets from that place on; sets class_body, and class_wrong. Returns where it ends.
function read_class(text, i, begin, c, last, negated, others, special) {
    class_wrong = ""
    negated = substr(text, i, 1) ~ /[!^]/
    begin = i += negated
    for (; (c = substr(text, i, 1)) != "]" || i == begin; i++) {
        if (c == "") class_wrong = "a [ has no ]"
        if (c == "[" && substr(text, i + 1, 1) ~ /[:.=]/) class_wrong = "a glob takes no [[:class:]]"
        if (class_wrong != "") return i
        if (c == "\\" && substr(text, i + 1, 1) != "") c = substr(text, ++i, 1)
        last = substr(text, i + 2, 1)
        if (substr(text, i + 1, 1) == "-" && last != "]" && last != "") {
            if (!is_range(c, last)) class_wrong = "a range is one of letters or digits, as in [a-z]"
            others = others c "-" last
            i += 2
        } else if (index("]^-\\", c)) special[c] = 1
        else others = others c
    }
    class_body = order_class(special, others, negated)
    return i
}

# Each of the characters that mean something stands where it means itself.
function order_class(special, others, negated, body) {
    body = (("]" in special) ? "]" : "") others (("\\" in special) ? "\\\\" : "")
    if (body == "" && ("^" in special) && !negated) return ("-" in special) ? "[-^]" : "\\^"
    return "[" (negated ? "^" : "") body (("^" in special) ? "^" : "") (("-" in special) ? "-" : "") "]"
}

function is_range(first, last) {
    if (first "" > last "") return 0
    return first last ~ /^[a-z][a-z]$/ || first last ~ /^[A-Z][A-Z]$/ || first last ~ /^[0-9][0-9]$/
}

# Whether the glob is of the path with these n names: the last star of many names takes one more where it fails.
function matches_glob(glob, names, n, i, segment, star, from) {
    i = segment = 1
    star = 0
    while (i <= n) {
        if ((glob, segment) in any_depth) {
            star = segment++
            from = i
        } else if (segment <= glob_segments[glob] && matches_segment(glob, segment, names[i])) {
            segment++
            i++
        } else if (star) {
            segment = star + 1
            i = ++from
        } else return 0
    }
    return segment > glob_segments[glob]
}

function matches_segment(glob, segment, name, n, k, size) {
    n = glob_parts[glob, segment]
    if (n == 1 && length(name) != part_size[glob, segment, 1]) return 0
    if (!starts_with_part(name, glob SUBSEP segment SUBSEP 1)) return 0
    if (n == 1) return 1
    name = substr(name, part_size[glob, segment, 1] + 1)
    size = part_size[glob, segment, n]
    if (length(name) < size) return 0
    if (!starts_with_part(substr(name, length(name) - size + 1), glob SUBSEP segment SUBSEP n)) return 0
    name = substr(name, 1, length(name) - size)
    for (k = 2; k < n; k++) {
        if (!match(name, part_body[glob, segment, k])) return 0
        name = substr(name, RSTART + RLENGTH)
    }
    return 1
}

function starts_with_part(name, part) {
    return part_size[part] == 0 || name ~ ("^" part_body[part])
}
