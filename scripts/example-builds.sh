# For the scripts of examples/ (sourced): builds of one file after the other, and what each left of the last one.
# Needs $work, a directory for logs, and ${command[@]}, which is xbuild. All that is told is counted here;
# `expect` ends the script where that is not what the example's page says.

say() { printf '\n%s\n' "$*"; }

expect() {
    if [[ $2 != "$3" ]]; then
        printf '%s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
}

# build NAME [FLAG...]: builds, and keeps what was said and made under that name.
build() {
    "${command[@]}" --metadata-file "$work/$1.json" "${@:2}" >"$work/$1.log" 2>&1 || {
        cat "$work/$1.log" >&2
        exit 1
    }
}

field() { jsonOf "$1" "value[\"$2\"]"; }

# new_layers BEFORE AFTER: names of the layers whose digests the first build has not; kept_layers: how many it has.
new_layers() { compare "$1" "$2" 'after.filter((layer) => !known.has(layer.digest)).map((layer) => layer.name).join(" ")'; }
kept_layers() { compare "$1" "$2" 'after.filter((layer) => known.has(layer.digest)).length'; }
compare() {
    node -p "const [before, after] = process.argv.slice(1).map((file) => JSON.parse(fs.readFileSync(file, 'utf8')).layers);
        const known = new Set(before.map((layer) => layer.digest)); $3" "$work/$1.json" "$work/$2.json"
}
jsonOf() { node -p "const value = JSON.parse(fs.readFileSync(process.argv[1], 'utf8')); $2" "$work/$1.json"; }

# stages_run NAME: the stages whose layering steps ran, sorted.
stages_run() { sed -n 's/^==> \(.*\): Layering steps$/\1/p' "$work/$1.log" | sort | xargs; }

# at_once NAME: how many stages were at work at one time, at most.
at_once() {
    awk '/^==> [^ ]*: / { begun[$2]++; if (begun[$2] == 1 && ++open > most) most = open }
         /^  ✓ [^ ]*: / { if (--begun[$2] == 0) open-- }
         END { print most + 0 }' "$work/$1.log"
}
