# Names, as the names file has them, or for JSON without its quotes.
function escape(text, json, i, c, result) {
    if (text ~ "^[A-Za-z0-9 ._+:~@/-]*$") return text
    for (i = 1; i < 32; i++) control[sprintf("%c", i)] = sprintf("\\u%04x", i)
    result = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\\") c = "\\\\"
        else if (c == "\t") c = "\\t"
        else if (c == "\n") c = "\\n"
        else if (json && c == "\"") c = "\\\""
        else if (json && (c in control)) c = control[c]
        result = result c
    }
    return result
}
