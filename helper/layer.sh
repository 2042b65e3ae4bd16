#!/bin/sh
# layer: writes the layers of an image from a shell script that runs after OUTPUT.
#
# It stands in <path>/bin, reads <path>/names and <path>/history.json, and writes
# <path>/output. It needs a POSIX sh and tar; split needs awk, find and sort too
# (each of busybox does). docs/layer-helper.md is its reference.
# -ef and -nt are in POSIX since 2024, and in these shells since long before.
# shellcheck disable=SC3013
set -eu
LC_ALL=C
export LC_ALL
# What one user of the container wrote, another may add to in the next RUN.
umask 0

CDPATH=
newline='
'
tab='	'

# A shell reads its script as it goes: nobody waits for what another command needs.
#include main.sh
#include commands.sh
#include previous.sh
#include quoting.sh
#include output.sh

case ${1-} in
keep | has | list)
    main "$@"
    exit
    ;;
esac

#include add.sh
#include mounts.sh
#include tar.sh
#include recall.sh
#include wide.sh
#include pack.sh
#include exclusions.sh
#include records.sh
#include odd.sh

case ${1-} in
add)
    main "$@"
    exit
    ;;
esac

#include each/each.sh
#include each/trees.sh
#include split/split.sh
#include split/kinds.sh
#include split/plan.sh
#include split/components.sh
#include split/taken.sh
#include split/layers.sh
#include split/tell.sh
#include split/above.sh
#include split/above-contents.sh
#include split/above-odd.sh
#include kinds

# Who owns what: rules of the same pattern, and what is at the END, run in this order.
# shellcheck disable=SC2016
plan_program='
#include split/walk.awk
#include split/stat.awk
#include split/above.awk
#include split/files.awk
#include listed kinds
#include split/databases.awk
#include found kinds
#include split/tell.awk
#include split/rest.awk
#include split/components.awk
#include split/map.awk
#include split/glob.awk
#include split/unescape.awk
#include split/taken-paths.awk
#include split/taken.awk
#include split/large.awk
#include split/pieces.awk
#include split/units.awk
#include split/paths.awk
#include split/found.awk
#include split/json.awk
#include split/binaries.awk
#include split/order.awk
#include split/previous.awk
#include split/rates.awk
#include split/planfile.awk
#include split/share.awk
#include split/atoms.awk
#include split/join.awk
#include split/improve.awk
#include split/stack.awk
#include split/write.awk
#include split/escape.awk
'

# What the base has of it.
# shellcheck disable=SC2016
compare_program='
#include split/stat.awk
#include split/unescape.awk
#include split/taken-paths.awk
#include split/compare.awk
'

# What stat says of the paths of each.
# shellcheck disable=SC2016
each_program='
#include split/stat.awk
#include each/each.awk
#include split/escape.awk
'

# What xbuild knows of them.
# shellcheck disable=SC2016
trees_program='
#include each/trees.awk
'

# Which layers of the build are not of split.
# shellcheck disable=SC2016
history_program='
#include split/history.awk
'

# What to keep.
# shellcheck disable=SC2016
decide_program='
#include split/decide.awk
'

main "$@"
