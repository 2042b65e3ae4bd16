# Paths that the user has assigned: a name and globs a line. The last line that has a path takes it.

mode == "map" {
    sub(/\r$/, "")
    read_rule($0)
    next
}

function read_rule(line, n, i, wrong, name) {
    n = read_words(line)
    if (n < 0) refuse_rule("a quote has no end")
    if (refused || !n) return
    name = words[1]
    gsub(/\\/, "", name)
    if (n == 1) refuse_rule("there is no glob behind the name " name)
    else if (name == "other") refuse_rule("other is what nobody takes, choose another name")
    for (i = 2; i <= n && !refused; i++) {
        if (words[i] ~ /^!/) wrong = "a glob takes no !, put what is to be taken otherwise in a later line"
        else wrong = make_glob(++globs, words[i])
        if (wrong != "") refuse_rule(words[i] ": " wrong)
        glob_name[globs] = name
        glob_said[globs] = "line " FNR ": " words[i]
    }
}

function refuse_rule(reason) {
    refuse(ENVIRON["layer_map"] ", line " FNR ": " reason)
}

# Sets words, and returns how many: blanks separate them but in quotes, and behind a backslash, which stays.
function read_words(line, n, i, c, inside, begun) {
    split("", words)
    n = 0
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (inside == "" && c ~ /[ \t]/) {
            begun = 0
            continue
        }
        if (inside == "" && c == "#" && !begun) break
        if (!begun) words[++n] = ""
        begun = 1
        if (c == inside) inside = ""
        else if (inside == "" && (c == "\"" || c == quote)) inside = c
        else {
            if (c == "\\") c = c substr(line, ++i, 1)
            words[n] = words[n] c
        }
    }
    return inside == "" ? n : -1
}

# A rule that has a directory has all below it.
function claim_mapped(at, n, glob, part, unit) {
    if (!globs) return
    for (glob in plain_glob) if (plain_glob[glob] != "") looked_up[plain_glob[glob]] = looked_up[plain_glob[glob]] " " glob
    for (at = 1; at <= count; at++) {
        mapped[at] = above[at] ? mapped[above[at]] : 0
        if (paths[at] in looked_up) {
            n = split(looked_up[paths[at]], part, " ")
            for (; n; n--) take_glob(at, part[n] + 0)
        }
        n = split(paths[at], part, "/")
        for (glob = globs; glob; glob--) {
            if ((glob in plain_glob) || glob <= mapped[at] && (glob in used_glob)) continue
            if (matches_glob(glob, part, n)) take_glob(at, glob)
        }
        if (mapped[at]) give(at, unit_of_kind("map", glob_name[mapped[at]]))
    }
    for (glob = 1; glob <= globs; glob++)
        if (!(glob in used_glob)) note(ENVIRON["layer_map"] ", " glob_said[glob] " matches nothing")
}

function take_glob(at, glob) {
    if (glob_ends[glob] && types[at] != "directory") return
    used_glob[glob] = 1
    if (glob > mapped[at]) mapped[at] = glob
}

# The path leaves those that had it. What is mounted over stays with what belongs to nobody.
function give(at, unit) {
    if (!(at in hollow_line)) owners[at] = " " unit
}

# The unit of that kind and name, which is made where there is none.
function unit_of_kind(kind, name) {
    gsub(/ /, "%20", name)
    if (!((kind, name) in known)) {
        known[kind, name] = new_unit(kind, name)
        full_names[units] = name
    }
    return known[kind, name]
}

# A line for the user.
function note(text) {
    gsub(/[\001-\037\177]/, "?", text)
    print text > (work "/notes")
}
