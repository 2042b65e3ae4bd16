# Extended attributes that say which component a path belongs to, and how often it changes.

mode == "attributes" && /^# file: / {
    attributed = unescape(substr($0, 9))
    sub(/^\.\//, "", attributed)
    attributed = attributed == "." ? 0 : number_of(attributed)
    # A name with a line break is no path here.
    if (!attributed && $0 != "# file: .") attributed = -1
    next
}
mode == "attributes" && /^user\.component=/ {
    component[attributed] = attribute_value()
    components_set = 1
    next
}
mode == "attributes" && /^user\.update-interval=/ {
    interval[attributed] = attribute_value()
    next
}
mode == "attributes" { next }

function attribute_value(text) {
    text = substr($0, index($0, "=") + 1)
    return text ~ /^".*"$/ ? unescape(substr(text, 2, length(text) - 2)) : text
}

# A directory's component is that of what is below it, where this has none of its own.
function claim_components(at, unit) {
    if (!components_set) return
    for (at = 1; at <= count; at++) {
        if (!(at in component)) component[at] = component[above[at] + 0]
        if (component[at] == "") continue
        unit = unit_of_kind("component", component[at])
        give(at, unit)
        # Who says that it is one of its own expects it to last some time.
        if (!(unit in interval_of)) interval_of[unit] = 7
        if (at in interval) set_interval(unit, at)
    }
}

# In days. One path of a component may say it, or several the same.
function set_interval(unit, at, days) {
    days = days_of(interval[at])
    if (!days) refuse("/" paths[at] ": user.update-interval is " interval[at] ", set a number of days or weekly")
    if ((unit in said_interval) && said_interval[unit] != days)
        refuse("/" paths[at] ": user.update-interval is " days " days, and elsewhere in the component " keys[unit] \
            " it is " said_interval[unit] ", set one")
    said_interval[unit] = interval_of[unit] = days
}

function days_of(text, named, n, i, part) {
    if (text ~ /^[0-9]+$/) return text + 0
    n = split("daily 1 weekly 7 biweekly 14 monthly 30 quarterly 90 yearly 365", part, " ")
    for (i = 1; i < n; i += 2) if (part[i] == text) return part[i + 1] + 0
    return 0
}
