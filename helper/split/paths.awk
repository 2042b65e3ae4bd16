# Paths, and the links in them.

# To ask awk for what is not there would make it.
function number_of(path) {
    return path in number ? number[path] : 0
}

# The path with links to directories followed in all but its last part, as /bin/sh is usr/bin/sh.
function resolve(path, parent) {
    if (path in number) return path
    # Nobody has such a path; awks have an end to how deep a call may go.
    if (length(path) > 4096 || split(path, too_deep, "/") > 120) return path
    parent = parent_of(path)
    if (parent == "") return path
    return join(resolve_directory(parent), substr(path, length(parent) + 2))
}

function join(directory, name) {
    return directory == "" ? name : directory "/" name
}

function resolve_directory(directory, at, target, parent) {
    if (directory == "") return ""
    if (directory in resolved) return resolved[directory]
    resolved[directory] = directory
    at = number_of(directory)
    if (at && types[at] == "link") {
        target = read_link(directory)
        if (target ~ /^\//) target = normalize(target)
        else target = normalize(parent_of(directory) "/" target)
        resolved[directory] = resolve_directory(target)
    } else if (!at) {
        parent = parent_of(directory)
        target = join(resolve_directory(parent), substr(directory, parent == "" ? 1 : length(parent) + 2))
        if (target != directory) resolved[directory] = resolve_directory(target)
    }
    return resolved[directory]
}

function parent_of(path, name) {
    name = path
    sub(/.*\//, "", name)
    return substr(path, 1, length(path) - length(name) - 1)
}

function basename(path, ending) {
    sub(/^.*\//, "", path)
    if (ending != "" && substr(path, length(path) - length(ending) + 1) == ending)
        path = substr(path, 1, length(path) - length(ending))
    return path
}

function read_link(path, command, target) {
    command = "readlink " shell_word("./" path)
    command | getline target
    close(command)
    return target
}

function normalize(path, parts, n, i, result) {
    n = split(path, parts, "/")
    result = ""
    for (i = 1; i <= n; i++) {
        if (parts[i] == "" || parts[i] == ".") continue
        if (parts[i] == "..") result = parent_of(result)
        else result = join(result, parts[i])
    }
    return result
}

# Two backslashes before a quote are one to some awks, and two to others.
function shell_word(text) {
    gsub(quote, quote "\\" quote quote, text)
    return quote text quote
}
