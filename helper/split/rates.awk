# How often packages change, from what is told of the past. Rates are changes a month.
#
# Lines of changes: <kind> TAB <source> TAB <seconds since 1970> TAB <base or update> TAB <advisories>
# base is an upload from which the distribution's release was made, update one that the release got later.
# Lines of history: release TAB <seconds or -> TAB <digest> TAB <reference>, then of each of its layers
# layer TAB <diff ID> TAB <name>; the oldest release first.

mode == "changes" {
    n = split($0, part, "\t")
    told = part[1] " " part[2]
    time = part[3] + 0
    has_changes[told] = 1
    if (time > newest_change[part[1]]) newest_change[part[1]] = time
    if (part[4] == "update") updates[told] = updates[told] " " time
    else {
        uploads[told] = uploads[told] " " time
        if (part[5] + 0) advised[told]++
        if (time > newest_base[part[1]]) newest_base[part[1]] = time
    }
    next
}
mode == "history" {
    n = split($0, part, "\t")
    if (part[1] == "release") {
        release_time[++releases] = part[2] == "-" ? 0 : part[2] + 0
        release_name[releases] = substr($0, length(part[1] part[2]) + 3)
    } else if (part[1] == "layer") {
        release_layers[releases] = release_layers[releases] " " substr($0, length(part[1] part[2]) + 3)
    }
    next
}

# Sets rate for each package.
function rate_units(i, unit, all) {
    month = 2629800
    read_releases()
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        rate[unit] = expected_changes(unit)
        if (!rated[source_name(unit)]++) all += rate[unit]
    }
    # These change with whatever does.
    for (; i <= ordered; i++) rate[order[i]] = all
}

# The changes that there were and some that there might have been, by the time; what was in the last year counts four
# times. How much counts how was fitted to the changelogs of Debian 12's packages, from its release to the middle of 2025.
function expected_changes(unit, told, changes, months, lately) {
    if (unit in interval_of) return 30.4 / (interval_of[unit] > 0.25 ? interval_of[unit] : 0.25)
    told = source_name(unit)
    changes = months = lately = 0
    if (told in has_changes) {
        months = months_told(kinds[unit])
        changes = count_since(updates[told], newest_change[kinds[unit]] - months * month)
        lately = count_since(updates[told], newest_change[kinds[unit]] - 12 * month)
    }
    else if (changes = updates_in(versions[unit])) months = 24
    if (seen_months[unit] > 0 && (months == 0 || seen_changes[unit] > changes)) {
        months = seen_months[unit]
        changes = seen_changes[unit]
        lately = seen_lately[unit]
    }
    return (changes + 3 * lately + supposed_changes(unit, told)) / (months + 3 * (months < 12 ? months : 12) + 20)
}

# How many updates of a release a version counts, as 1.2-3+deb12u4 and 1.2-3ubuntu0.4 do. How long ago they began is not
# told.
function updates_in(version) {
    if (match(version, /[+~]deb[0-9]+u[0-9]+/)) {
        version = substr(version, RSTART, RLENGTH)
        sub(/.*u/, "", version)
        return version + 0
    }
    if (match(version, /ubuntu[0-9]+([.][0-9]+)+/)) {
        version = substr(version, RSTART, RLENGTH)
        sub(/.*[.]/, "", version)
        return version + 0
    }
    return 0
}

# How many releases of a major version a name counts, as express-4.18.2 does, 80 at most. Of packages that their authors
# publish, those with many go on so: measured over a year of npm's and of Python's.
function releases_in(name, part, n) {
    if (!match(name, /-v?[0-9]+[.][0-9]+([.][0-9]+)?/)) return 0
    n = split(substr(name, RSTART, RLENGTH), part, ".")
    n = part[2] + (n > 2 ? part[3] : 0)
    return n > 80 ? 80 : n
}

# Who was uploaded often before the release and had advisories will have them again.
function supposed_changes(unit, told, advisories) {
    if (!(told in has_changes)) return rank_of(unit) > 40 ? 2 + releases_in(names[unit]) / 2 : 1
    advisories = advised[told] + 0
    return 0.04 + 0.014 * count_since(uploads[told], newest_base[kinds[unit]] - 60 * month) + \
        0.27 * (advisories > 9 ? 9 : advisories)
}

# For how long the changelogs of the kind tell of updates: since the release, but three years at most.
function months_told(kind, months) {
    months = newest_base[kind] ? (newest_change[kind] - newest_base[kind]) / month : 36
    if (months < 1) return 1
    return months > 36 ? 36 : months
}

# Of times with blanks between.
function count_since(times_told, since, n, i, part, found) {
    found = 0
    n = split(times_told, part, " ")
    for (i = 1; i <= n; i++) if (part[i] + 0 > since) found++
    return found
}

# What the history tells of each package: how often its name became another one, over how many months, and how often
# of that in the last twelve.
function read_releases(i, j, n, part, unit, name, newest) {
    # Where nobody tells the time, or one of last century: a week before the next release.
    for (i = releases; i; i--) {
        if (release_time[i] < 946684800) release_time[i] = (i < releases ? release_time[i + 1] : 2000000000) - 604800
        if (release_time[i] > newest) newest = release_time[i]
    }
    for (i = 1; i <= releases; i++) {
        n = split(release_layers[i], part, " ")
        for (j = 1; j <= n; j++) {
            name = part[j]
            unit = name in unit_of_name ? unit_of_name[name] : unit_of_other_version(name)
            if (!unit) continue
            if (!(unit in seen_first)) seen_first[unit] = release_time[i]
            else if (seen_name[unit] != name) {
                seen_changes[unit]++
                if (release_time[i] > newest - 12 * month) seen_lately[unit]++
            }
            seen_name[unit] = name
        }
    }
    for (unit in seen_first) seen_months[unit] = (newest - seen_first[unit]) / month
}
