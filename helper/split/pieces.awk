# Layers of a size at most: what is larger is divided between its files.
#
# Where it is cut is said by the paths and sizes on both sides alone: the cut with the lowest draw comes first, then those
# of what is still too large on each side of it. So what comes or goes changes the piece that it is in, and no other
# boundary. A draw is a hash of the path before the cut, by the larger of the two files: what is large stands apart.

BEGIN {
    most_bytes = ENVIRON["layer_most_bytes"] + 0
    modulus = 67108859
    if (most_bytes) for (i = 1; i < 256; i++) code_of[sprintf("%c", i)] = i
}

# What an entry adds to its layer; a file of several names is there once.
function weight_of(at) {
    return 512 + (first_name(at) == at ? sizes[at] : 0)
}

function divide_units(at, i, n, who, unit, total, last, list, length_of) {
    if (!most_bytes) return
    read_piece_names()
    last = units
    for (at = 1; at <= count; at++) roll_of(at)
    for (at = 1; at <= count; at++) {
        n = split(owners[at], who, " ")
        for (i = 1; i <= n; i++) total[who[i]] += weight_of(at)
    }
    for (at = 1; at <= count; at++) {
        n = split(owners[at], who, " ")
        for (i = 1; i <= n; i++) if (total[who[i]] > most_bytes) list[who[i], ++length_of[who[i]]] = at
    }
    for (unit = 1; unit <= last; unit++) if (total[unit] > most_bytes) divide_unit(unit, list, length_of[unit])
}

# Some kinds read the keys of their names themselves: those of pieces have the piece's behind it.
function read_piece_names(name) {
    for (name in key_of_name)
        if (match(name, /#[0-9a-f]*$/)) key_of_name[name] = key_of_name[name] substr(name, RSTART)
}

# A step is a file with the directories before it and, where it has more names, all of them.
function divide_unit(unit, list, n, i, at, steps, step, extra) {
    split("", cut)
    split("", step_at)
    split("", step_sum)
    steps = extra = 0
    for (i = 1; i <= n; i++) {
        at = list[unit, i]
        if (at in hollow_line) continue
        step[at] = steps + 1
        if (types[at] != "directory" && first_name(at) == at) {
            step_at[++steps] = at
            step_sum[steps] = extra + weight_of(at)
            extra = 0
        } else if (types[at] == "directory") extra += 512
        else {
            step[at] = step[first_name(at)]
            step_sum[step[at]] += 512
        }
    }
    for (i = 2; i <= steps; i++) step_sum[i] += step_sum[i - 1]
    if (steps < 2) {
        if (steps) note_large(step_at[1])
        return
    }
    for (i = 1; i <= steps; i++) {
        if (weight_of(step_at[i]) > most_bytes) {
            note_large(step_at[i])
            cut[i] = cut[i - 1] = 1
        }
    }
    cut_between(steps)
    name_pieces(unit, steps)
    for (i = 1; i <= n; i++) {
        at = list[unit, i]
        if (at in step) move_entry(at, unit, piece_at[step[at] < steps ? step[at] : steps])
    }
}

function note_large(at) {
    if (sizes[at] > most_bytes) note("/" paths[at] " alone is larger than --max-layer-bytes, its layer has more")
}

function cut_between(steps, i, begin) {
    begin = 1
    for (i = 1; i <= steps; i++) {
        if (!cut[i] && i < steps) continue
        cut_range(begin, i)
        begin = i + 1
    }
}

function cut_range(from, to, i, best, lowest, one) {
    if (from >= to || step_sum[to] - step_sum[from - 1] <= most_bytes) return
    for (i = from; i < to; i++) {
        one = draw_of(i)
        if (i > from && one >= lowest) continue
        lowest = one
        best = i
    }
    cut[best] = 1
    cut_range(from, best)
    cut_range(best + 1, to)
}

# Sizes count by powers of two, so that a file may grow a little.
function draw_of(i, one, other, power) {
    one = weight_of(step_at[i])
    other = weight_of(step_at[i + 1])
    if (other > one) one = other
    for (power = 1; power * 1.4 < one; power *= 2) continue
    one = hash_of(step_at[i])
    return one / (modulus - one) / power
}

# Of a path, below 2^26, the same in each awk: no product is larger than what a number holds.
function hash_of(at, value) {
    value = roll_of(at)
    value = (value * value + value * 7 + 1) % modulus
    return (value * value + value * 13 + 5) % modulus
}

function roll_of(at, value, name, i) {
    if (at in rolled) return rolled[at]
    value = above[at] ? roll_of(above[at]) : 1
    name = "/" basename(paths[at])
    for (i = 1; i <= length(name); i++) value = (value * 257 + code_of[substr(name, i, 1)]) % modulus
    return rolled[at] = value
}

# Sets piece_at: the unit of each step. A piece is called after the file that it ends with, the last as the whole was.
function name_pieces(unit, steps, i, mark, piece) {
    piece = unit
    for (i = steps; i; i--) {
        if (cut[i] && i < steps) {
            mark = sprintf("#%06x", hash_of(step_at[i]) % 16777216)
            while ((unit, mark) in known) mark = mark "0"
            known[unit, mark] = 1
            piece = new_piece(unit, mark)
        }
        piece_at[i] = piece
    }
}

# All that is known of a unit is so of its pieces. Those of a package change with it, others each by itself.
function new_piece(unit, mark, piece, key, name) {
    key = keys[unit]
    piece = new_unit(kinds[unit], key mark)
    piece_of[piece] = unit
    if (unit in versions) versions[piece] = versions[unit]
    if (unit in architectures) architectures[piece] = architectures[unit]
    if (unit in ranks) ranks[piece] = ranks[unit]
    if (unit in interval_of) interval_of[piece] = interval_of[unit]
    if (rank_of(unit) < 60) sources[piece] = sources[unit] == "" ? key : sources[unit]
    if (!(unit in full_names)) return piece
    name = full_names[unit]
    if (substr(name, 1, length(key) + 1) == key "-") name = key mark substr(name, length(key) + 1)
    else name = name mark
    full_names[piece] = name
    return piece
}

function move_entry(at, unit, piece, n, i, who) {
    if (piece == unit) return
    n = split(owners[at], who, " ")
    owners[at] = ""
    for (i = 1; i <= n; i++) owners[at] = owners[at] " " (who[i] == unit ? piece : who[i])
}
