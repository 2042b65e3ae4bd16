# apk: the packages of Alpine.
# kind: listed 20

has_apk() {
    find_evidence lib/apk/db/installed usr/lib/apk/db/installed
}

files_apk() {
    files='mode=apk ./lib/apk/db/installed ./usr/lib/apk/db/installed'
}

: <<'AWK'
# P: name, V: version, o: source, F: directory, R: a file in it; an empty line ends a package.
mode == "apk" {
    text = substr($0, 3)
    if ($0 == "") unit = 0
    else if (/^P:/) {
        unit = new_unit("apk", text)
        sources[unit] = text
    }
    else if (/^V:/) versions[unit] = text
    else if (/^o:/) sources[unit] = text
    else if (/^F:/) {
        folder = text
        claim(unit, resolve(folder))
    }
    else if (/^R:/) claim(unit, resolve(join(folder, text)))
    next
}

END { if ("apk" in wanted) keep_apk() }

function keep_apk(at) {
    for (at = 1; at <= count; at++)
        if (paths[at] ~ /^(usr\/)?lib\/apk(\/|$)/ || paths[at] ~ /^etc\/apk\/(world|arch)$/) keep("apk", at)
}
AWK
