# Plans as text: a line for each layer, from the lowest, with what it holds: <kind>:<name without a version>, or the
# name alone. What begins with # is a comment.

mode == "plan" {
    if ($0 ~ /^[ \t]*(#|$)/) next
    plan_lines++
    n = split($0, part, /[ \t\r]+/)
    for (i = 1; i <= n; i++) {
        if (part[i] == "") continue
        if (part[i] in line_in_plan) refuse("line " FNR " of the plan has '" part[i] "' again, leave it in one layer")
        line_in_plan[part[i]] = plan_lines
    }
    next
}

function planned_line(unit, key) {
    key = plan_key(unit)
    if (key in line_in_plan) return line_in_plan[key]
    sub(/^[^:]*:/, "", key)
    return key in line_in_plan ? line_in_plan[key] : 0
}

function plan_key(unit, key) {
    key = keys[unit]
    gsub(/[\001-\040\177]/, "%20", key)
    return kinds[unit] ":" key
}

# What the plan says stays; what it does not name finds a place beside it.
function follow_plan(i, unit, line, used, rest, planned, left) {
    for (i = 1; i <= ordered; i++) {
        unit = order[i]
        line = planned_line(unit)
        if (line) {
            group_of[unit] = "plan " line
            planned++
            if (!used[line]++) rest--
        }
        else if (i > packaged) {
            group_of[unit] = "special " i
            rest--
        }
        else left++
    }
    if (!planned) refuse("the plan names no package of the root, has another one been meant?")
    goal = room + rest
    if (goal < (left ? 1 : 0)) refuse("the plan has too many layers for the " room " that there may be, join some of its lines")
    if (left) make_plan()
}

function stack_as_planned(i, group) {
    for (i = 1; i <= plan_lines; i++) {
        group = "plan " i
        if ((group in group_size) && !(group in special_group)) number_of_group[group] = ++layers
    }
}

# The plan as such a text, for who wants to read it, or to hold to it.
function write_plan(file, i, number, line) {
    for (i = 1; i <= releases; i++) print "# history: " release_name[i] > file
    for (i = 1; i <= ordered; i++) {
        number = layer_of[order[i]]
        line[number] = line[number] (line[number] == "" ? "" : " ") plan_key(order[i])
        group_of_number[number] = group_of[order[i]]
    }
    for (number = 1; number <= layers; number++) {
        printf("# %.0f bytes, %.3f changes a month\n%s\n", group_size[group_of_number[number]], \
            group_hazard[group_of_number[number]] * updates_a_month, line[number]) > file
    }
    close(file)
}
