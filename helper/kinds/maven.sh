# maven: the jars of Java, in directories of libraries and in local repositories, whatever put them there.
# kind: found 82

has_maven() {
    look_in_walk '<artifact>-<version>.jar'
}

: <<'AWK'
END { if ("maven" in wanted) claim_maven() }

function claim_maven(i, n, at, found) {
    n = count_free()
    for (i = 1; i <= n; i++) {
        at = free[i]
        if (paths[at] ~ /-[0-9][^\/]*\.jar$/ && types[at] != "directory" && owners[at] == "") found += claim_jar(paths[at])
    }
    if (found) claim_trees(maven_trees)
}

# Returns whether it stands in a repository: <artifact>/<version>/ has the jar, its POM and what is known of them.
function claim_jar(path, name, folder, artifact, version, key, classifier) {
    name = basename(path, ".jar")
    folder = parent_of(path)
    version = basename(folder)
    artifact = basename(parent_of(folder))
    if (index(name "-", artifact "-" version "-") == 1)
        return mark_tree(maven_trees, language_unit("maven", artifact, version, path), folder) > 0
    # Libraries of machine code stand side by side, one for each platform.
    if (match(name, /-(linux|osx|macos|windows|natives)[-_.a-z0-9]*$/)) {
        classifier = ":" substr(name, RSTART + 1)
        name = substr(name, 1, RSTART - 1)
    }
    key = jar_artifact(name)
    if (key != "") claim_unowned(language_unit("maven", key classifier, substr(name, length(key) + 2), path), path)
    return 0
}

# The version begins with the last "-" before a number with a dot (log4j-1.2-api-2.20.0, foo-1.0-beta-9), which is no
# date (foo-1.0-20230101.123456-1), or else with the first before a digit.
function jar_artifact(name, i, first, last) {
    for (i = 2; i < length(name); i++) {
        if (substr(name, i, 1) != "-" || substr(name, i + 1, 1) !~ /[0-9]/) continue
        if (!first) first = i
        if (substr(name, i) ~ /^-[0-9][0-9]?[0-9]?[0-9]?\.[0-9]/) last = i
    }
    return substr(name, 1, (last ? last : first) - 1)
}
AWK
