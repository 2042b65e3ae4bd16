# dpkg: the packages of Debian and its kin, also in images that have no dpkg (status.d).
# kind: listed 10

has_dpkg() {
    find_evidence var/lib/dpkg/status var/lib/dpkg/status.d
}

files_dpkg() {
    files='mode=dpkg-status ./var/lib/dpkg/status ./var/lib/dpkg/status.d/*
        mode=dpkg-diversions ./var/lib/dpkg/diversions
        mode=dpkg-alternatives ./var/lib/dpkg/alternatives/*
        mode=dpkg-list ./var/lib/dpkg/info/*.list'
}

# When its packages changed: a line an entry of each changelog, as split/rates.awk has them.
changes_dpkg() {
    set --
    for changelog in usr/share/doc/*/changelog.Debian.gz usr/share/doc/*/changelog.gz; do
        # The latter is a native package's own; of others it is the upstream's, which is long and tells nothing here.
        if [ -f "$changelog" ] && [ ! -e "${changelog%/changelog.gz}/changelog.Debian.gz" ]; then
            set -- "$@" "$changelog"
        fi
    done
    [ $# -gt 0 ] || return 0
    gzip -dc -- "$@" 2>/dev/null | head -c 256000000 | awk "$changelog_program"
}

# shellcheck disable=SC2016,SC2034
changelog_program='
# The lines of an entry begin with blanks, but for its first (deb-changelog(5)).
/^  / {
    if (!advisories && source != "" && index($0, "CVE-")) advisories = 1
    next
}
/^[a-z0-9][a-z0-9+.-]* [(][^)]*[)] [^;]*;/ {
    source = seen[$1, $2]++ ? "" : $1
    suites = $0
    sub(/^[^)]*[)] */, "", suites)
    sub(/;.*/, "", suites)
    advisories = 0
    next
}
/^ -- / && source != "" && match($0, />  [A-Z][a-z][a-z], +[0-9]+ [A-Z][a-z][a-z] [0-9]+ [0-9:]+ [+-][0-9]+/) {
    print "dpkg\t" source "\t" seconds(substr($0, RSTART + 3, RLENGTH - 3)) "\t" base_or_update() "\t" advisories
    source = ""
}

function base_or_update(n, i, part) {
    n = split(suites, part, " ")
    for (i = 1; i <= n; i++)
        if (part[i] !~ /^(unstable|experimental|testing|sid|frozen|UNRELEASED)$/) return "update"
    return "base"
}

# Since 1970, of a date such as: Mon, 27 Apr 2026 22:14:33 +0200
function seconds(text, part, year, month, offset) {
    split(text, part, /[ :]+/)
    year = part[4] + 0
    month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", part[3]) + 2) / 3
    offset = (substr(part[8], 2, 2) * 60 + substr(part[8], 4, 2)) * (part[8] ~ /^-/ ? -60 : 60)
    if (month < 3) {
        year--
        month += 12
    }
    month = int((153 * (month - 3) + 2) / 5)
    year = 365 * year + int(year / 4) - int(year / 100) + int(year / 400)
    return (year + month + part[2] - 719469) * 86400 + part[5] * 3600 + part[6] * 60 + part[7] - offset
}
'

: <<'AWK'
# A stanza ends with its file, too.
stanza["package"] != "" && mode != "dpkg-status" { end_stanza() }

# Who is installed.
mode ~ /^dpkg-/ && FNR == 1 {
    base = FILENAME
    sub(/^.*\//, "", base)
}
mode == "dpkg-status" && base ~ /\.md5sums$/ {
    # An image without dpkg keeps its packages one by one, with their files.
    if (FNR == 1) end_stanza()
    unit = file_unit[substr(base, 1, length(base) - 8)]
    if (match($0, /^[0-9a-f]+ +/)) claim(unit, resolve(substr($0, RLENGTH + 1)))
    next
}
mode == "dpkg-status" && (FNR == 1 || /^$/) { end_stanza() }
mode == "dpkg-status" && /^Package: / {
    stanza["package"] = $2
    stanza["file"] = base
}
mode == "dpkg-status" && /^Status: / { stanza["state"] = $4 }
mode == "dpkg-status" && /^Version: / { stanza["version"] = $2 }
mode == "dpkg-status" && /^Architecture: / { stanza["architecture"] = $2 }
mode == "dpkg-status" && /^Source: / { stanza["source"] = $2 }
mode == "dpkg-status" && /^Priority: / { stanza["priority"] = $2 }
mode == "dpkg-status" && /^Essential: yes/ { stanza["essential"] = 1 }
mode == "dpkg-status" { next }

# Diversions: three lines each: the path, where it went instead, and the package that it stayed with.
mode == "dpkg-diversions" {
    if (FNR % 3 == 1) from = $0
    if (FNR % 3 == 2) to = $0
    if (FNR % 3 == 0) { diverted[from] = to; diverter[from] = $0 }
    next
}

# An alternative has a mode line, its link, then pairs of a name and a link up to an empty line.
mode == "dpkg-alternatives" {
    if (FNR == 1) links = 1
    if ($0 == "") links = 0
    if (links && FNR % 2 == 0) alternatives[substr($0, 2)] = 1
    next
}

mode == "dpkg-list" && FNR == 1 { unit = dpkg_unit[substr(base, 1, length(base) - 5)] }
mode == "dpkg-list" {
    if (unit && $0 != "/.") claim(unit, resolve_listed(unit, $0))
    next
}

END { if ("dpkg" in wanted) claim_dpkg() }

function end_stanza(unit, field) {
    if (stanza["package"] != "" && stanza["state"] !~ /^(not-installed|config-files)$/) {
        unit = new_unit("dpkg", stanza["package"])
        packages[unit] = stanza["package"]
        versions[unit] = stanza["version"]
        architectures[unit] = stanza["architecture"]
        sources[unit] = stanza["source"] == "" ? stanza["package"] : stanza["source"]
        if (stanza["essential"] || stanza["priority"] == "required") ranks[unit] = 10
        else if (stanza["priority"] == "important") ranks[unit] = 20
        else ranks[unit] = 30
        dpkg_unit[stanza["package"]] = file_unit[stanza["file"]] = unit
        dpkg_unit[stanza["package"] ":" stanza["architecture"]] = unit
        if (stanza["package"] == "dpkg") native["dpkg"] = stanza["architecture"]
    }
    for (field in stanza) stanza[field] = ""
}

# Where the path of a package is: another package may have diverted it, maybe by its other name,
# as /bin/sh for /usr/bin/sh.
function resolve_listed(unit, listed, real, from) {
    if (!diversions_read++) for (from in diverted) diverted_from[resolve(substr(from, 2))] = from
    real = resolve(substr(listed, 2))
    if (listed in diverted) from = listed
    else if (!(real in number) && (real in diverted_from)) from = diverted_from[real]
    else return real
    return diverter[from] == packages[unit] ? real : resolve(substr(diverted[from], 2))
}

# The files about one package go to it; the rest changes with each package that does.
function claim_dpkg(at, path) {
    end_stanza()
    for (path in alternatives) {
        keep("dpkg", number_of(path))
        keep("dpkg", number_of(resolve(path)))
    }
    for (at = 1; at <= count; at++) {
        path = paths[at]
        if (path !~ /^(var\/lib\/dpkg|etc\/alternatives)(\/|$)/) continue
        keep("dpkg", at)
        if (path ~ /^var\/lib\/dpkg\/info\/./) claim_info(path)
        else if (path ~ /^var\/lib\/dpkg\/status\.d\/./) claim(file_unit[basename(path, ".md5sums")], path)
    }
}

# A file of dpkg about one package: <package>.<what>
function claim_info(path, key) {
    key = substr(path, 19)
    sub(/\.[^.]*$/, "", key)
    if (key in dpkg_unit) claim(dpkg_unit[key], path)
}
AWK
