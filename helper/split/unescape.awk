# What stands behind backslashes in a name that getfattr or tar has told: octal digits, or a letter.
function unescape(text, result, c) {
    result = ""
    while (match(text, /\\/)) {
        result = result substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + 1)
        c = substr(text, 1, 1)
        if (text ~ /^[0-3][0-7][0-7]/) {
            result = result sprintf("%c", substr(text, 1, 1) * 64 + substr(text, 2, 1) * 8 + substr(text, 3, 1))
            text = substr(text, 4)
            continue
        }
        result = result (c ~ /[abfnrtv]/ ? substr("\a\b\f\n\r\t\v", index("abfnrtv", c), 1) : c)
        text = substr(text, 2)
    }
    return result text
}
