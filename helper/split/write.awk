# What each layer holds, for the shell.

# Adds the directories above each entry, then writes the layers one by one.
function write_layers(at, n, i, who, layer, up, contents, sum, j, files, signature, mark) {
    for (i = 1; i <= ordered; i++) {
        layer = layer_of[order[i]]
        layer_name[layer] = layer_name[layer] (layer_name[layer] == "" ? "" : " ") names[order[i]]
        layer_bytes[layer] += bytes[order[i]]
        if (order[i] == other) odd_layer = layer
    }
    write_plan(work "/planned")
    for (at = count; at >= 1; at--) {
        n = split(owners[at], who, " ")
        for (i = 1; i <= n; i++) {
            layer = layer_of[who[i]]
            if ((layer, at) in has) continue
            has[layer, at] = 1
            members[at] = members[at] " " layer
            for (up = above[at]; up && !((layer, up) in has); up = above[up]) {
                has[layer, up] = 1
                members[up] = members[up] " " layer
            }
        }
    }
    for (at = 1; at <= count; at++) {
        n = split(members[at], who, " ")
        for (i = 1; i <= n; i++) contents[who[i], ++sum[who[i]]] = at
    }
    for (layer = 1; layer <= layers; layer++) {
        files = work "/" layer ".list"
        signature = work "/" layer ".sig"
        printf "" > files
        for (j = 1; j <= sum[layer]; j++) {
            at = contents[layer, j]
            if (at in hollow_line) print hollow_line[at] > (work "/hollow")
            else print "./" paths[at] > files
            print stats[at], paths[at] > signature
            if (at in unsure) unsure_layer[layer] = 1
        }
        if (layer in unsure_layer) print layer > (work "/unsure")
        close(files)
        close(signature)
        mark = layer == odd_layer ? "odd" : "-"
        printf("%d\t%d\t%s\t%s\t%s\n", layer, layer_bytes[layer], mark, \
            escape(layer_name[layer], 0), escape(layer_name[layer], 1)) > (work "/plan")
    }
}
