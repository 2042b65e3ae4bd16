#!/bin/sh
# Stands for a compiler: makes the files of a part of its version, the same of the same.
#
#   sh make-part.sh NAME SOURCE DIRECTORY
set -eu
version=$(cat "$2")
mkdir -p "$3/opt/$1"
printf '#!/bin/sh\necho "%s %s"\n' "$1" "$version" >"$3/opt/$1/program"
chmod 755 "$3/opt/$1/program"
seq 1 20000 | sed "s/^/$1 $version /" >"$3/opt/$1/data"
