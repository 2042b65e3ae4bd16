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
    if (part[4] != "update" && part[5] + 0) advised[told]++
    if (part[4] == "update") updates[told] = updates[told] " " time
    else if (time > newest_base[part[1]]) newest_base[part[1]] = time
    if (part[4] == "update") has_updates[part[1]] = 1
    else uploads[told] = uploads[told] " " time
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

# Sets rate for each package, and evidence: what it is known from.
function rate_units(i, unit, all) {
    month = 2629800
    patience = 20
    read_releases()
    for (i = 1; i <= packaged; i++) {
        unit = order[i]
        rate[unit] = expected_changes(unit)
        if (!counted_source[source_name(unit)]++) all += rate[unit]
    }
    # These change with whatever does.
    for (; i <= ordered; i++) rate[order[i]] = all
}

function expected_changes(unit, told, prior, count, months) {
    if (unit in interval_of) {
        evidence[unit] = "interval"
        return 30.4 / (interval_of[unit] > 0.25 ? interval_of[unit] : 0.25)
    }
    told = kinds[unit] " " (sources[unit] == "" ? keys[unit] : sources[unit])
    prior = prior_rate(unit, told)
    evidence[unit] = "kind"
    count = months = 0
    if (told in has_changes) {
        evidence[unit] = "changelog"
        months = months_of_changes(kinds[unit])
        count = count_changes(told, newest_change[kinds[unit]] - months * month)
    }
    if (seen_months[unit] > 0 && (evidence[unit] == "kind" || seen_changes[unit] > count)) {
        evidence[unit] = "history"
        months = seen_months[unit]
        count = seen_changes[unit]
    }
    return (count + prior * patience) / (months + patience)
}

# For how long the changes of the kind tell of what happens now: since the release, at most three years; where
# there was none, two years.
function months_of_changes(kind, months) {
    months = 24
    if (kind in has_updates) {
        months = (newest_change[kind] - newest_base[kind]) / month
        if (months > 36) months = 36
    }
    return months < 1 ? 1 : months
}

function count_changes(told, since, n, i, part, count) {
    count = 0
    n = split(told in updates ? updates[told] : "", part, " ")
    for (i = 1; i <= n; i++) if (part[i] + 0 >= since) count++
    return count
}

# What the history tells of each package: how often its name became another one, and over how many months.
function read_releases(i, j, n, part, unit, name, newest) {
    for (i = 1; i <= releases; i++) {
        # Of releases whose time nobody tells: a week between them.
        if (!release_time[i]) release_time[i] = i > 1 ? release_time[i - 1] + 604800 : 0
        if (release_time[i] > newest) newest = release_time[i]
    }
    for (i = 1; i <= releases; i++) {
        n = split(release_layers[i], part, " ")
        for (j = 1; j <= n; j++) {
            name = part[j]
            if (name in unit_of_name) unit = unit_of_name[name]
            else if (!(unit = unit_of_other_version(name))) continue
            if (!(unit in seen_first)) seen_first[unit] = release_time[i]
            else if (seen_name[unit] != name) seen_changes[unit]++
            seen_name[unit] = name
        }
    }
    for (unit in seen_first) seen_months[unit] = (newest - seen_first[unit]) / month
}

# What is thought of a package of which little is known, from what is told of the time before: who was uploaded often
# and had advisories will have them again. Measured on Debian 12's packages over three and a half years.
function prior_rate(unit, told, since, n, i, part, recent) {
    if (!(told in has_changes)) return 0.1
    recent = 0
    since = newest_base[kinds[unit]] - 60 * month
    n = split(told in uploads ? uploads[told] : "", part, " ")
    for (i = 1; i <= n; i++) if (part[i] + 0 > since) recent++
    return 0.01 + 0.0008 * recent + 0.02 * (advised[told] > 8 ? 8 : advised[told])
}
