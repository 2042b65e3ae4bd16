# The list of what earlier calls of the helper have put into layers: a line "layer" tells how the paths behind it are
# written; each has a blank before it.

mode == "taken" && /^layer\t/ {
    split($0, part, "\t")
    escaped_paths = part[2] == "escaped"
    taken_layers++
    next
}

# The path of a line, as find has it without "./".
function taken_path(path) {
    path = substr($0, 2)
    if (escaped_paths) path = unescape(path)
    sub(/^\/+/, "", path)
    while (path ~ /^\.\//) sub(/^\.\/+/, "", path)
    sub(/\/+$/, "", path)
    return path
}
