# Groups of packages become fewer.

function join_groups(into, group) {
    joined[group] = into
    size_of[into] += size_of[group]
    sources_of[into] += sources_of[group] - (source_of[into] != "" && source_of[into] == source_of[group])
    if (source_of[into] != source_of[group]) source_of[into] = ""
    heavy[into] = 0
    excess--
}

# Packages of one source change together, so sharing costs them nothing; the smallest first.
function join_sources(i, source, total, first, sorted, n, part, key) {
    for (i = 1; i <= groups; i++) {
        source = source_of[list[i]]
        if (source == "" || heavy[list[i]]) continue
        total[source] += size_of[list[i]]
        if (!(source in first)) first[source] = i
    }
    n = 0
    for (source in total) sorted[++n] = sprintf("%20.0f %8d", total[source], first[source])
    sort_strings(sorted, n)
    for (key = 1; key <= n && excess > 0; key++) {
        split(sorted[key], part, " ")
        source = source_of[list[part[2]]]
        for (i = part[2] + 1; i <= groups && excess > 0; i++)
            if (source_of[list[i]] == source && !heavy[list[i]] && !(list[i] in joined))
                join_groups(list[part[2]], list[i])
    }
}

# The two smallest become one, again and again: a heap finds them.
function join_smallest(i, n, small) {
    n = 0
    for (i = 1; i <= groups; i++) if (!(list[i] in joined)) heap[++n] = list[i]
    for (i = int(n / 2); i >= 1; i--) sink(i, n)
    while (excess > 0 && n > 1) {
        small = heap[1]
        heap[1] = heap[n--]
        sink(1, n)
        join_groups(heap[1], small)
        if (start_of[small] < start_of[heap[1]]) start_of[heap[1]] = start_of[small]
        sink(1, n)
    }
}

function sink(i, n, child, item) {
    item = heap[i]
    while ((child = 2 * i) <= n) {
        if (child < n && lighter(heap[child + 1], heap[child])) child++
        if (!lighter(heap[child], item)) break
        heap[i] = heap[child]
        i = child
    }
    heap[i] = item
}

function lighter(one, two, difference) {
    difference = size_of[one] * (1 + heavy[one]) - size_of[two] * (1 + heavy[two])
    return difference < 0 || difference == 0 && start_of[one] < start_of[two]
}
