# dotnet: the NuGet packages in published .NET applications, and .NET's own frameworks.
# kind: found 86

has_dotnet() {
    look_in_walk '*.deps.json'
}

: <<'AWK'
END { if ("dotnet" in wanted) claim_dotnet() }

function claim_dotnet(i, n, at) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] ~ /\.deps\.json$/ && is_document(at, 8192)) read_assets(paths[at])
    }
}

# {"targets": {<target>: {"<name>/<version>": {"runtime": {<path in the package>: {}}}}},
#  "libraries": {"<name>/<version>": {"type": "package"}}}; the application itself is a "project".
function read_assets(path, i, n, m, part, packaged) {
    n = read_json("./" path, 6, "libraries")
    for (i = 1; i <= n; i++) {
        m = split(json_place[i], part, SUBSEP)
        if (m == 3 && part[1] == "libraries" && part[3] == "type") packaged[part[2]] = json_value[i] ~ /^(package|runtimepack)$/
    }
    for (i = 1; i <= n; i++) {
        m = split(json_place[i], part, SUBSEP)
        if (m < 5 || part[1] != "targets" || !packaged[part[3]]) continue
        if (m == 6 && part[4] == "resources" && part[6] == "locale")
            claim_asset(part[3], path, json_value[i] "/" basename(part[5]))
        else if (m == 5 && part[4] ~ /^(runtime|native)$/) claim_asset(part[3], path, basename(part[5]))
        else if (m == 5 && part[4] == "runtimeTargets") claim_asset(part[3], path, part[5])
    }
}

# Publishing puts assets beside the application, those of one language or platform in directories.
function claim_asset(library, path, asset, part, at) {
    asset = join(parent_of(path), asset)
    at = number_of(asset)
    if (!at || owners[at] != "") return
    split(library, part, "/")
    claim_unowned(language_unit("dotnet", part[1], part[2], path), asset)
}
AWK
