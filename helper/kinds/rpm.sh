# rpm: the packages of Fedora, SUSE and their kin. Its database is read by the program rpm alone.
# kind: listed 30

has_rpm() {
    find_rpm_database
}

# Sets rpm_database, relative to the root.
find_rpm_database() {
    for rpm_database in usr/lib/sysimage/rpm var/lib/rpm; do
        for file in "$rpm_database"/rpmdb.sqlite "$rpm_database"/Packages "$rpm_database"/Packages.db; do
            if [ -f "$file" ]; then return 0; fi
        done
    done
    return 1
}

# Prints for each package =<name> TAB <version> TAB <architecture> TAB <source>, then its paths.
list_rpm() {
    line='=%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n[%{FILENAMES}\n]'
    set -- --dbpath "/$rpm_database" -qa --queryformat "$line"
    if [ "$root" != / ]; then set -- --root "$root" "$@"; fi
    rpm "$@" || die "rpm cannot read its database in $root, run split where rpm is installed"
}

# When its packages changed: one entry of a changelog a line. What came before the release cannot be told from it.
changes_rpm() {
    set -- --dbpath "/$rpm_database" -qa --queryformat '[rpm\t%{=SOURCERPM}\t%{CHANGELOGTIME}\tupdate\t0\n]'
    if [ "$root" != / ]; then set -- --root "$root" "$@"; fi
    rpm "$@" 2>/dev/null | sed "s/-[^-$tab]*-[^-$tab]*$tab/$tab/" | sort -u
}

: <<'AWK'
mode == "rpm" {
    if (/^=/) {
        split(substr($0, 2), part, "\t")
        unit = new_unit("rpm", part[1])
        versions[unit] = part[2]
        if (part[3] != "noarch" && part[3] != "(none)") architectures[unit] = part[3]
        sources[unit] = part[4]
        # One that does not say what it was built from is its own source. No name has a blank.
        if (!sub(/-[^-]*-[^-]*$/, "", sources[unit])) sources[unit] = part[1] " " part[2] " " part[3]
    }
    else if (/^\//) claim(unit, resolve(substr($0, 2)))
    next
}

END { if ("rpm" in wanted) keep_rpm() }

function keep_rpm(at) {
    for (at = 1; at <= count; at++)
        if (paths[at] ~ /^(var\/lib\/rpm|usr\/lib\/sysimage\/rpm|var\/lib\/dnf)(\/|$)/) keep("rpm", at)
}
AWK
